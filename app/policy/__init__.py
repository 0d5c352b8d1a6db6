"""What a project accepts, and what that means for a piece of code with a licence: a stage without I/O.

model      the nouns: Policy, Entry, Verdict           compat     licence × policy → Verdict
parse      TOML text → Policy                          explain    the same, leaf by leaf; problems of a policy
presets    published rules of projects, with sources   waivers    decisions of people, by fingerprint
licenses   names, categories, expressions              credits    credits and accepts written in the code
families   which copyleft reaches which                outbound   the project's own licence, from metadata
rules      the table of rules                          osadl      an advisory second opinion
"""
