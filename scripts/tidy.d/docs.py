"""Files that pages name: a page that names a file which is not there misleads its reader."""

import re

NAMED = re.compile(r"`([\w./-]+\.(?:rs|lua|js|mjs|ts|py|sol))(?:::[^`]*)?`")


def missing(pages, names):
    """The files that pages (name and text) name and that are none of `names`, whole or by their end."""
    ends = {"/".join(parts[at:]) for parts in map(lambda name: name.split("/"), names) for at in range(len(parts))}
    for page, text in pages:
        for hit in NAMED.finditer(text):
            if hit[1].removeprefix("./") not in ends:
                yield f"{page}:{text.count(chr(10), 0, hit.start()) + 1} names {hit[1]}, which is not there"
