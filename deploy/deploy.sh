#!/bin/sh
# deploy.sh PROJECT PREFIX COMMAND…: installs what the Buildfile in PROJECT asks for into PREFIX, then runs COMMAND, such as one that restarts
# the site. If COMMAND fails, the prefix goes back to what it held, COMMAND runs again, and the status is 1.
set -eu
project=$1 prefix=$2 before=$(readlink "$2" || true)
shift 2
vbuild check --no-install -C "$project"
vbuild install -C "$project" --prefix "$prefix"
"$@" && exit 0
[ "$before" = '' ] || [ "$before" = "$(readlink "$prefix")" ] || vbuild rollback --prefix "$prefix"
"$@" || true
exit 1
