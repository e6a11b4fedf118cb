#!/usr/bin/env python3
# SPDX-License-Identifier: BSL-1.0
"""A header as doxygen 1.9.4 understands it: what Doxyfile has as its filter.

usage: filter.py HEADER
"""
import pathlib
import re
import sys

# Of a class that is a friend or a base by specialization, doxygen makes a class of its own, without its words.
FRIEND = re.compile(r"^ *friend [^(\n]*;$", re.M)
OWN_BASE = re.compile(r" : public decorator<.*> \{$", re.M)
# It takes a constraint between a template's head and its function for a part of the name.
LONG_CONSTRAINT = re.compile(r"^ *requires rule<\(.*?\}>$", re.M | re.S)
# What is defaulted says itself what it does, as far as that is not what everybody expects.
COMPARISON = re.compile(r"^(?P<code> *friend [^\n]*\boperator==\([^\n]* = default;)$", re.M)
# Constants of a namespace that has words for all of them.
CONSTANTS = re.compile(r"^///(?P<words>[^\n]*)\nnamespace (?P<name>\w+) \{(?P<rest>[^\n]*\n(?:inline constexpr [^\n]*;[^\n]*\n|\n)+)\}", re.M)
CONSTANT = re.compile(r"^(?P<code>inline constexpr [^;\n]*;)(?: *// (?P<own>[^\n]*))?$", re.M)
# A rule says itself what it is about.
RULE = re.compile(r"^(?P<words>///[^\n]*\n)?(?P<head>template <[^\n]*>\nconcept \w+ =\s*rule<.*?text\{(?P<text>.*?)\}>;)", re.M | re.S)


def with_words(rule):
    if rule["words"]:
        return rule[0]
    text = "".join(re.findall(r'"((?:[^"\\]|\\.)*)"', rule["text"]))
    text = re.sub(r"([\\`@<>&#%*])", r"\\\1", text.replace('\\"', '"'))
    return f"/// Where it does not hold, the compiler says: {text}\n{rule['head']}"


def with_words_of_all(constants):
    """Each with those of its namespace, and its own."""
    def one(each):
        own = each["own"] or ""
        return f"{each['code']}  ///<{constants['words']} {own[:1].upper()}{own[1:]}"

    body = CONSTANT.sub(one, constants["rest"])
    return f"///{constants['words']}\nnamespace {constants['name']} {{{body}}}"


def keep_lines(found):
    return "\n" * found[0].count("\n")


def main():
    header = pathlib.Path(sys.argv[1])
    text = header.read_text(encoding="utf-8")
    if header.name == "try.hpp":  # macros are of a file, which must be worth a page
        text = "/// @file\n/// `DEVRES_TRY`\n" + re.sub(r"^#define DEVRES_TRY_\w+\(?.*$", "", text, flags=re.M)
    text = FRIEND.sub("", text)
    text = CONSTANTS.sub(with_words_of_all, text)
    text = COMPARISON.sub(r"\g<code>  ///< member by member", text)
    text = OWN_BASE.sub(" {", text)
    text = LONG_CONSTRAINT.sub(keep_lines, text)
    sys.stdout.write(RULE.sub(with_words, text))


if __name__ == "__main__":
    main()
