"""What a project accepts, and what that means for a piece of code with a licence: a stage without I/O.

model      the nouns: Policy, Entry, Verdict       compat    licence × policy → Verdict
parse      TOML text → Policy (lines: where)       explain   the same, licence by licence
presets    published rules of projects             check     problems of a policy's text
licenses   names, categories, expressions          waivers   decisions of people, by fingerprint
families   which copyleft reaches which            credits   credits and accepts written in the code
rules      the table of rules                      metadata  the project's own licence, from its files
osadl      an advisory second opinion
"""
