"""Rules that projects have published, as data: each list entry says why it is there.

A preset is asked after the project's own lists, so every line of it can be overridden. What was read, in
stored copies of the sources of these sites: SciPy's Licensing, Matplotlib's Licenses, the ASF's policy (all
categories; BUSL-1.1, BlueOak-1.0.0 and Unicode-3.0 are not in the version read). The other addresses (the
FSF's pages, SciPy's old wiki) are where the rule is published; they were not opened for this table, and what
rests on them is written from knowledge of the licences' texts.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from app.policy.model import LISTS, Entry, ListName


@dataclass(frozen=True, slots=True)
class Preset:
    """A published policy. outbound: the licence that it is written for, "" when it fits several."""

    name: str
    title: str
    sources: tuple[str, ...]
    outbound: str = ""
    deny: tuple[Entry, ...] = ()
    review: tuple[Entry, ...] = ()
    attribution: tuple[Entry, ...] = ()
    allow: tuple[Entry, ...] = ()

    def entries(self, name: ListName) -> tuple[Entry, ...]:
        table = {
            "deny": self.deny,
            "review": self.review,
            "attribution": self.attribution,
            "allow": self.allow,
        }
        return table[name]


def _entries(preset: str, note: str, *texts: str) -> tuple[Entry, ...]:
    return tuple(Entry(text, f"preset {preset}", note) for text in texts)


_BSD_ADVERTISING = "its advertising clause binds everybody who redistributes"
_ASF_A = "category A of the ASF 3rd Party License Policy"
_ASF_B = "category B of the ASF 3rd Party License Policy: not in source releases"
_ASF_X = "category X of the ASF 3rd Party License Policy: not in ASF projects"

PERMISSIVE = Preset(
    "permissive",
    "A permissively licensed project that takes code on like terms",
    (
        "Matplotlib, Licenses: https://matplotlib.org/stable/devel/license.html",
        "SciPy, Licensing: https://docs.scipy.org/doc/scipy/dev/core-dev/index.html#licensing",
    ),
    review=(
        *_entries("permissive", _BSD_ADVERTISING, "BSD-4-Clause", "BSD-4-Clause-UC", "BSD-4.3RENO"),
        *_entries("permissive", _BSD_ADVERTISING, "OpenSSL", "SSLeay-standalone", "MIT-advertising"),
        *_entries("permissive", "its condition on use is not an open-source one", "JSON"),
        *_entries("permissive", "source must stay under this licence", "MS-PL", "MS-LPL"),
        *_entries("permissive", "asks for citation beyond a notice", "CECILL-B", "AAL"),
    ),
)

SCIPY = Preset(
    "scipy",
    "SciPy's rules for contributed code",
    (
        "SciPy, Licensing: https://docs.scipy.org/doc/scipy/dev/core-dev/index.html#licensing",
        "SciPy, Ways to contribute: https://docs.scipy.org/doc/scipy/dev/hacking.html",
        "SciPy/NumPy, License compatibility (old wiki): "
        "https://scipy.github.io/old-wiki/pages/License_Compatibility.html",
    ),
    outbound="BSD-3-Clause",
    deny=(
        *_entries("scipy", "SciPy names Apache as incompatible", "Apache-1.0", "Apache-1.1", "Apache-2.0"),
        *_entries("scipy", "SciPy names the GPL as incompatible, translations included", "category:Copyleft"),
        *_entries("scipy", "share-alike and lesser GPL are incompatible", "category:Copyleft Limited"),
        *_entries("scipy", "content from unlicensed code cannot be accepted", "no-license"),
    ),
    review=(
        *_entries("scipy", "licences that SciPy does not name are asked about first", "category:Permissive"),
    ),
    attribution=(
        *_entries("scipy", "SciPy names it as compatible", "BSD-2-Clause", "BSD-3-Clause", "MIT"),
        *_entries("scipy", "SciPy names the PSF licence as compatible", "PSF-2.0", "Python-2.0"),
    ),
)

APACHE = Preset(
    "apache",
    "The Apache Software Foundation's third-party licence policy",
    ("ASF 3rd Party License Policy: https://www.apache.org/legal/resolved.html",),
    outbound="Apache-2.0",
    deny=(
        *_entries("apache", _ASF_B, "CDDL-1.0", "CDDL-1.1", "CPL-1.0", "EPL-1.0", "EPL-2.0", "IPL-1.0"),
        *_entries("apache", _ASF_B, "MPL-1.0", "MPL-1.1", "MPL-2.0", "SPL-1.0", "OSL-3.0", "ErlPL-1.1"),
        *_entries("apache", _ASF_B, "OFL-1.1", "IPA", "Ruby"),
        *_entries("apache", _ASF_B, "CC-BY-2.5", "CC-BY-3.0", "CC-BY-4.0", "Ubuntu-font-1.0"),
        *_entries("apache", "share-alike media only", "CC-BY-SA-2.5", "CC-BY-SA-3.0", "CC-BY-SA-4.0"),
        *_entries("apache", _ASF_X, "GPL-1.0-only", "GPL-1.0-or-later", "GPL-2.0-only", "GPL-2.0-or-later"),
        *_entries("apache", _ASF_X, "GPL-3.0-only", "GPL-3.0-or-later", "AGPL-3.0-only", "AGPL-3.0-or-later"),
        *_entries("apache", _ASF_X, "LGPL-2.0-only", "LGPL-2.0-or-later", "LGPL-2.1-only"),
        *_entries("apache", _ASF_X, "LGPL-2.1-or-later", "LGPL-3.0-only", "LGPL-3.0-or-later"),
        *_entries("apache", _ASF_X, "QPL-1.0", "Sleepycat", "SSPL-1.0", "CPOL-1.02", "BUSL-1.1", "MS-LPL"),
        *_entries("apache", _ASF_X, "BSD-4-Clause", "BSD-4-Clause-UC", "NPL-1.0", "NPL-1.1", "JSON"),
        *_entries("apache", _ASF_X, "LicenseRef-scancode-facebook-patent-rights-2"),
    ),
    review=(
        *_entries("apache", "licences that the policy does not name are asked about", "category:Permissive"),
    ),
    attribution=(
        *_entries("apache", _ASF_A, "Apache-2.0", "Apache-1.1", "PHP-3.01", "BSD-2-Clause", "BSD-3-Clause"),
        *_entries("apache", _ASF_A, "PostgreSQL", "BSD-3-Clause-LBNL", "MIT", "X11", "ISC", "SMLNJ", "ICU"),
        *_entries("apache", _ASF_A, "NCSA", "W3C", "Xnet", "Zlib", "Libpng", "FSFULLR", "Bitstream-Vera"),
        *_entries("apache", _ASF_A, "AFL-3.0", "MS-PL", "PSF-2.0", "Python-2.0", "HPND", "APAFML", "BSL-1.0"),
        *_entries("apache", _ASF_A, "OGL-UK-3.0", "WTFPL", "Unicode-DFS-2016", "Unicode-3.0", "ZPL-2.0"),
        *_entries("apache", _ASF_A, "DOC", "UPL-1.0", "Unlicense", "MulanPSL-2.0", "BlueOak-1.0.0"),
        *_entries("apache", "public domain with attribution, as category A", "CC0-1.0", "CC-PDDC"),
        *_entries("apache", "public domain with attribution, as category A", "category:Public Domain"),
    ),
)

GPL3 = Preset(
    "gpl3",
    "A project under the GNU GPL, version 3 or later",
    (
        "FSF, Various Licenses and Comments about Them: https://www.gnu.org/licenses/license-list.html",
        "FSF, GPL FAQ, compatibility matrix: https://www.gnu.org/licenses/gpl-faq.html#AllCompatibility",
    ),
    outbound="GPL-3.0-or-later",
)

NONE = Preset("none", "No lists: only the built-in rules and the project's own", ())

PRESETS: Mapping[str, Preset] = MappingProxyType(
    {preset.name: preset for preset in (PERMISSIVE, SCIPY, APACHE, GPL3, NONE)}
)


def size(preset: Preset) -> int:
    """How many entries the lists of a preset have."""
    return sum(len(preset.entries(name)) for name in LISTS)
