/** `vbuild completion SHELL`: a program for the user's shell, made from the tables of commands and options; Tab never starts vbuild. */
import { stepGroups } from '../compile/recipe.ts';
import { optionTable } from './option-table.ts';
import type { Command } from './command.ts';
import { applies, type CommandRow, commandGroups, commandTable, type OptionRow } from './command-table.ts';
import { logParts } from './log-parts.ts';
import { wordAmong } from './word-among.ts';

const shells = ['bash', 'zsh', 'fish'] as const;

// oxlint-disable-next-line require-await -- every command is asynchronous
export const completion: Command = async ({ line, stdout }) => {
  stdout.write(completionFor(wordAmong(line.targets[0] ?? '', shells, 'Shell is unknown')));
  return 0;
};

/** The whole program, ending with a line feed. */
export function completionFor(shell: (typeof shells)[number]): string {
  switch (shell) {
    case 'bash':
      return `# bash completion of vbuild: eval "$(vbuild completion bash)" in ~/.bashrc\n${answers()}${bash}`;
    case 'zsh':
      return `#compdef vbuild\n# zsh completion of vbuild: eval "$(vbuild completion zsh)" in ~/.zshrc, after compinit\n${answers()}${zsh}`;
    case 'fish':
      return `# fish completion of vbuild: vbuild completion fish >~/.config/fish/completions/vbuild.fish\n${fish()}`;
    default:
      return shell satisfies never;
  }
}

const bash = `_vbuild() {
  local line
  COMPREPLY=()
  while IFS= read -r line; do
    case $line in
      :files) compopt -o filenames 2>/dev/null; mapfile -t -O "\${#COMPREPLY[@]}" COMPREPLY < <(compgen -f -- "\${COMP_WORDS[COMP_CWORD]}") ;;
      :folders) compopt -o filenames 2>/dev/null; mapfile -t -O "\${#COMPREPLY[@]}" COMPREPLY < <(compgen -d -- "\${COMP_WORDS[COMP_CWORD]}") ;;
      :commands) mapfile -t -O "\${#COMPREPLY[@]}" COMPREPLY < <(compgen -c -- "\${COMP_WORDS[COMP_CWORD]}") ;;
      *)
        line=\${line%%$'\\t'*}
        case $line in "\${COMP_WORDS[COMP_CWORD]}"*) COMPREPLY+=("$line") ;; esac
        ;;
    esac
  done < <(_vbuild_answers "\${COMP_WORDS[@]:1:COMP_CWORD}")
}
complete -F _vbuild vbuild
`;

const zsh = `_vbuild() {
  local line
  local -a found
  for line in "\${(@f)$(emulate -L sh; _vbuild_answers "\${(@)words[2,CURRENT]}")}"; do
    case $line in
      :files) _files ;;
      :folders) _files -/ ;;
      :commands) _command_names ;;
      ?*) found+=("\${\${line%%$'\\t'*}//:/\\\\:}:\${line#*$'\\t'}") ;;
    esac
  done
  (( \${#found} )) && _describe vbuild found
}
if [ "\${funcstack[1]-}" = _vbuild ]; then _vbuild "$@"; else compdef _vbuild vbuild; fi
`;

/** fish hands the work to a POSIX shell, which starts in a millisecond. */
const fish = (): string => `function __vbuild_answers
    set -l words (commandline -opc) (commandline -ct)
    for line in (sh -c ${fishQuoted(`${answers()}_vbuild_answers "$@"`)} sh $words[2..-1])
        switch $line
            case :files
                __fish_complete_path (commandline -ct)
            case :folders
                __fish_complete_directories (commandline -ct)
            case :commands
                __fish_complete_command
            case '*'
                printf '%s\\n' $line
        end
    end
end
complete -c vbuild -f -a '(__vbuild_answers)'
`;

const fishQuoted = (text: string): string => `'${text.replaceAll('\\', '\\\\').replaceAll("'", "\\'")}'`;

/** What a short text needs inside single quotes. */
const said = (text: string): string => text.replaceAll("'", `'\\''`);

const valued: readonly OptionRow[] = optionTable.filter(({ type }) => type !== 'flag');
const names = ({ name, short }: OptionRow): string =>
  [`--${name}`, ...(short === undefined ? [] : [`-${short}`])].join('|');
const rows: readonly CommandRow[] = commandTable;
const groups = Object.keys(commandGroups);

/**
 * In POSIX shell: prints what may stand in the place of its last argument, a line each with a description behind a tab; \`:files\`,
 * \`:folders\` and \`:commands\` stand for what the shell itself knows. Packages are read where vbuild last wrote them down.
 */
function answers(): string {
  const first = [
    ...rows.filter(({ name }) => !name.includes(' ')).map(({ name, summary }) => [name, summary]),
    ...Object.entries(commandGroups),
  ];
  return `_vbuild_packages() {
  _vb_base=\${_vb_file%.ts}
  case $_vb_base in /*) ;; *) _vb_base=$_vb_folder/$_vb_base ;; esac
  _vb_known=\${_vb_base%/*}/.vbuild/\${_vb_base##*/}/packages
  if [ -f "$_vb_known" ]; then
    cat -- "$_vb_known"
  elif [ -f "$_vb_base.lock" ]; then
    sed -n 's/^ *"\\([A-Za-z0-9][A-Za-z0-9._+-]*\\)@[^"]*": {$/\\1	package/p' "$_vb_base.lock"
  fi
}
_vbuild_options() {
  case $1 in
${rows.map((row) => `    '${row.name}') printf '%s\\n' ${optionsOf(row)} ;;`).join('\n')}
  esac
}
_vbuild_answers() {
  _vb_command='' _vb_folder=. _vb_file=Buildfile.ts _vb_expects='' _vb_words=0
  while [ $# -gt 1 ]; do
    case $_vb_expects in
      file) _vb_file=$1 ;;
      directory) _vb_folder=$1 ;;
    esac
    if [ -n "$_vb_expects" ]; then
      _vb_expects=''
    else
      case $1 in
        --) echo :commands; return ;;
${valued.map((row) => `        ${names(row)}) _vb_expects='${row.name}' ;;`).join('\n')}
        -*) ;;
        *)
          case $_vb_command in
            '')
              case $1 in
                ${[...rows.map(({ name }) => name.split(' ')[0] ?? ''), ...groups].filter((name, at, all) => all.indexOf(name) === at).join('|')}) _vb_command=$1 ;;
                *) _vb_command=build _vb_words=1 ;;
              esac
              ;;
            ${groups.join('|')}) _vb_command="$_vb_command $1" ;;
            *) _vb_words=$((_vb_words + 1)) ;;
          esac
          ;;
      esac
    fi
    shift
  done
  case $_vb_expects in
    '') ;;
${valued.map((row) => `    ${row.name}) ${valuesOf(row)}; return ;;`).join('\n')}
  esac
  case $1 in
    -*) _vbuild_options "\${_vb_command:-build}"; return ;;
  esac
  case $_vb_command in
    '') printf '%s\\n' ${first.map(([name = '', summary = '']) => `'${said(name)}	${said(summary)}'`).join(' ')}; _vbuild_packages ;;
${groups.map((group) => `    '${group}') printf '%s\\n' ${rows.flatMap(({ name, summary }) => (name.startsWith(`${group} `) ? [`'${name.slice(group.length + 1)}	${said(summary)}'`] : [])).join(' ')} ;;`).join('\n')}
${rows.map((row) => `    '${row.name}') ${argumentsOf(row)} ;;`).join('\n')}
  esac
}
`;
}

const optionsOf = (row: CommandRow): string =>
  optionTable
    .filter((option) => applies(option, row.name))
    .map(({ name, summary }) => `'--${name}	${said(summary)}'`)
    .join(' ');

function valuesOf({ name, value, choices, type }: OptionRow): string {
  if (name === 'from') return fromValues;
  if (choices !== undefined) return `printf '%s\\n' ${choices.map((choice) => `'${choice}	${name}'`).join(' ')}`;
  if (type !== 'text') return ':';
  return value === 'DIR' ? 'echo :folders' : 'echo :files';
}

const list = (words: readonly string[], what: string): string =>
  `printf '%s\\n' ${words.map((word) => `'${word}	${what}'`).join(' ')}`;

/** A place of releases, save where it is the group of steps that a compilation is taken up at. */
const fromValues = `if [ "\${_vb_command:-build}" = build ]; then ${list(stepGroups, 'steps')}; else echo :files; fi`;

/** What the arguments of a command may be. */
function argumentsOf({ takes }: CommandRow): string {
  switch (takes) {
    case 'targets':
    case 'some-targets':
      return '_vbuild_packages';
    case 'one-target':
      return '[ "$_vb_words" -gt 0 ] || _vbuild_packages';
    case 'subject':
      return '_vbuild_packages; echo :files';
    case 'package-part':
      return `if [ "$_vb_words" -eq 0 ]; then _vbuild_packages; else ${list(logParts, 'part')}; fi`;
    case 'package-stage':
      return `if [ "$_vb_words" -eq 0 ]; then _vbuild_packages; else ${list(['fetch', 'patch', 'compile', ...stepGroups], 'stage')}; fi`;
    case 'folder-targets':
      return 'if [ "$_vb_words" -gt 0 ]; then _vbuild_packages; else echo :folders; fi';
    case 'name-and-targets':
      return '[ "$_vb_words" -eq 0 ] || _vbuild_packages';
    case 'one-release':
    case 'two-releases':
      return ':';
    case 'patches':
    case 'one-file':
    case 'lock-files':
      return 'echo :files';
    case 'command':
      return list([...new Set(commandTable.map(({ name }) => name.split(' ')[0] ?? ''))], 'command');
    case 'shell':
      return list(shells, 'shell');
    case 'nothing':
    case 'command-line':
      return ':';
    default:
      return takes satisfies never;
  }
}
