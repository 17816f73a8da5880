"""Heavy: deep, long and big; each is played alone."""

from __future__ import annotations

from recipe import Recipe, message, table

LINES = """
= RFC 8259 sections 6 and 9: a reader may limit what it takes, and goes on
integer-of-5000-digits | text/number:5000-digits | A number of 5000 digits. | the conversion refuses by an error that the JSON guard does not know
brackets-2000-deep | text/depth:bare-2000 | Brackets, 2000 deep. | the reader calls itself, and the error is none of JSON
objects-2000-deep | text/depth:objects-2000 | Objects, 2000 deep, in customData. | the copy of what was read calls itself
brackets-100000-deep | text/depth:bare-100000 | Brackets, 100000 deep. | the stack ends, and with it the process
same-member-100000-times | text/size:100000-same-members | One member, 100000 times. | each one is compared with all before it
string-of-1-mebibyte | text/size:string-1MiB | A string of a mebibyte. | the log holds all of it, twice
elements-100000 | text/size:100000-elements | A list of 100000 numbers. | every number becomes an object of hundreds of bytes
blanks-64-kibibytes | text/size:64KiB-blanks | 64 kibibytes of blanks before the last bracket. | the buffer has room for the message without its blanks
message-id-500000-characters | envelope/messageId:500000 | A messageId of 500000 characters. | it is echoed as it came
"""

CASES: list[Recipe] = table(message, LINES)
