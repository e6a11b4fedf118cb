# SPDX-License-Identifier: BSL-1.0
# shellcheck shell=bash
# For examples/run: what `survey` needs of the system, and the tree that it reads if none is named: Debian's linux-source.

# Debian's package of the newest kernel source that the survey's figures are for, or of its own kernel's.
survey_package() {
  local package
  for package in linux-source-6.12 linux-source-6.1; do
    [ -e "/usr/src/$package.tar.xz" ] && echo "$package" && return
  done
  if apt-cache show linux-source-6.12 >/dev/null 2>&1; then echo linux-source-6.12; else echo linux-source-6.1; fi
}

# Whether the arguments name a tree, or ask for what needs none.
survey_names_tree() {
  local argument
  for argument in "$@"; do
    case $argument in
      --page | --help | -h) return 0 ;;
      -*) ;;
      *) return 0 ;;
    esac
  done
  return 1
}

survey_needs() {
  need python3 have python3
  [[ " $* " != *" --spatch "* ]] || need coccinelle have spatch
  survey_names_tree "$@" && return
  source_package=$(survey_package)
  need "$source_package" test -e "/usr/src/$source_package.tar.xz"
  need xz-utils have xz
}

# Unpacks what the survey reads of the package, once for each version of it, and prints the folder.
survey_tree() {
  local archive=/usr/src/$source_package.tar.xz tree=build/survey/$source_package
  if [ ! -e "$tree/Makefile" ] || [ "$archive" -nt "$tree.unpacked" ]; then
    echo "survey: unpacking $archive" >&2
    rm -rf "$tree" build/survey/partial
    mkdir -p build/survey/partial
    tar -xJf "$archive" -C build/survey/partial --wildcards '*/drivers/*.[ch]' '*/sound/*.[ch]' '*/arch/*.[ch]' '*/Makefile' \
      '*/Kbuild' || return
    mv "build/survey/partial/$source_package" "$tree" && touch "$tree.unpacked" || return
  fi
  echo "$PWD/$tree"
}
