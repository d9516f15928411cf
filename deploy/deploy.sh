#!/bin/sh
# deploy.sh PROJECT PREFIX COMMAND…: installs what the Buildfile in PROJECT asks for into PREFIX, then runs COMMAND, such as one that restarts
# the site. If COMMAND fails, the prefix goes back to what it held, COMMAND runs again, and the status is 1. Both paths go by the current folder.
set -eu
[ $# -ge 3 ] || { echo 'usage: deploy.sh PROJECT PREFIX COMMAND…' >&2; exit 2; }
case $2 in /*) prefix=${2%/} ;; *) prefix=$PWD/${2%/} ;; esac
project=$1 before=$(readlink "$prefix" || true)
shift 2
vbuild check --no-install -C "$project" --prefix "$prefix"
vbuild install -C "$project" --prefix "$prefix"
"$@" && exit 0
[ "$before" = '' ] || [ "$before" = "$(readlink "$prefix")" ] || vbuild rollback --prefix "$prefix"
"$@" || true
exit 1
