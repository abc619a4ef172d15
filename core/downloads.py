"""Files that are handed out whole or not at all."""

from collections.abc import Iterable
from tempfile import SpooledTemporaryFile

from django.http import FileResponse

IN_MEMORY = 1024 * 1024  # bytes; a longer file waits on the disk


def whole_file(lines: Iterable[str], *, name: str, content_type: str) -> FileResponse:
    """Return the lines as a file to save, which is complete before its first byte is sent.

    A stream would end early where a line cannot be made, since the database went away, and look like a shorter file.
    This answers with an error then; and where the connection breaks, Content-Length tells the reader.
    """
    file = SpooledTemporaryFile(max_size=IN_MEMORY)  # noqa: SIM115  # the response closes it
    try:
        file.writelines(line.encode() for line in lines)
    except BaseException:
        file.close()
        raise
    file.seek(0)
    response = FileResponse(file, as_attachment=True, filename=name, content_type=content_type)
    response.block_size = 64 * 1024
    return response
