"""Files of any length that are made while they are sent."""

import itertools
from collections.abc import Iterable, Iterator

from django.db.models import Model, QuerySet
from django.http import StreamingHttpResponse

ROWS = 500  # that are read at a time


def rows_of[M: Model](found: QuerySet[M], *, newest_first: bool = False) -> Iterator[M]:
    """Yield the rows by their primary key, each few by a query of their own: no cursor is open between them.

    So whoever reads slowly keeps neither a thread nor a connection to the database (portal/server/http1.py).
    """
    ordered = found.order_by("-pk" if newest_first else "pk")
    rest = ordered
    while rows := list(rest[:ROWS]):
        yield from rows
        rest = ordered.filter(**{"pk__lt" if newest_first else "pk__gt": rows[-1].pk})


def file_of(parts: Iterable[str] | Iterable[bytes], *, name: str, content_type: str) -> StreamingHttpResponse:
    """Return the parts as a file to save.

    The first part is made here, so that what can be refused is. A fault later on breaks the connection off, which tells
    the reader that the file is not complete, for it lacks its last chunk (RFC 9112 section 8).
    """
    rest = iter(parts)
    begun = list(itertools.islice(rest, 1))
    disposition = {"Content-Disposition": f'attachment; filename="{name}"'}
    return StreamingHttpResponse(itertools.chain(begun, rest), content_type=content_type, headers=disposition)
