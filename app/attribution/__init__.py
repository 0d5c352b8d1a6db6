"""Attribution: the notice that keeps a finding's terms, as a DEP-5 stanza, SPDX snippet tags or a patch.

findings with the verdict `attribution` + headers of their origins → notices → dep5, snippet or patch
"""
