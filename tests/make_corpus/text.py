"""Text: what is not quite JSON, or reads differently from reader to reader, below the envelope."""

from __future__ import annotations

from recipe import Recipe, message, table

LINES = """
= RFC 8259; Part 4 sections 4.1.2 and 4.2.3: what is no JSON is answered under "-1", or not at all
empty-text | text/not-json:empty | A message of no characters. | a buffer of no length is printed as text
whitespace-alone | text/not-json:whitespace | A message of blanks. | after the blanks are skipped nobody looks whether anything is left
a-word | text/not-json:word | A message that is a word. | malformed JSON is swallowed, and no answer comes
xml | text/not-json:xml | A message in XML. | text of the older protocol takes the path of the older protocol
single-quotes | text/not-json:single-quotes | A CALL in single quotes. | the language's own literals are evaluated instead of JSON
block-comment | text/not-json:block-comment | A CALL with a comment in it. | comments are an extension that one of two readers has
trailing-comma | text/not-json:trailing-comma | A CALL with a comma before the last bracket. | a lenient reader makes a fifth element of it
wrong-bracket | text/not-json:wrong-bracket | A CALL that ends in a brace. | brackets are counted, not matched
open-string | text/not-json:open-string | A CALL with a string that does not end. | the scanner for the closing quote runs out of the buffer
python-true | text/not-json:value-python-true | A value that is spelled True. | the reader is the language's, not JSON's
cut-behind-the-bracket | text/truncated:bracket | A CALL of which one character is there. | the reader looks ahead one more than there is
cut-in-the-id | text/truncated:id-quote | A CALL that ends within its messageId. | half an id is answered as if it were whole
cut-in-the-payload | text/truncated:payload | A CALL that ends within its payload. | what was read so far is served
cut-long-text | text/truncated:long | A CALL that ends within a string of 300 characters. | the error text quotes the message, and is longer than allowed (CVE-2025-59398)
cut-lone-surrogate | text/truncated:surrogate | A CALL that ends behind half a surrogate pair. | the error quotes text that has no UTF-8 form (CVE-2025-59399)
two-messages-in-one | text/trailing:same-message | Two CALLs in one message. | the reader stops behind the first value, and the second is lost or kept for later
nul-behind-the-message | text/trailing:nul | A CALL and a NUL. | one layer ends the text at the NUL, the other does not
bracket-behind-the-message | text/trailing:bracket | A CALL and a bracket too many. | what is behind is not read, so that two readers see two messages
byte-order-mark | text/bom | A CALL behind a byte order mark. | the mark is taken for a character, or not
= RFC 8259; Part 4 section 4.2.1: a message is an array
object-instead-of-array | text/not-array:object | A message that is an object. | elements are asked of what has members
array-in-an-object | text/not-array:named | A CALL whose elements have numbers as names. | members named like indices pass for elements
string-instead-of-array | text/not-array:string | A CALL in a string. | the message is parsed twice
null-instead-of-array | text/not-array:null | A message that is null. | the reader's null means no error
batch-of-calls | text/not-array:batch | An array with a CALL in it. | a batch of another RPC protocol is taken apart
= RFC 8259 section 6: numbers
number-nan | text/number:NaN | A number spelled NaN. | the reader takes it, and no comparison is true any more
number-infinity | text/number:-Infinity | A number spelled -Infinity. | a limit that is not finite goes into the schedule's arithmetic
number-octal | text/number:01 | A number with a zero in front. | it is read as octal
number-hexadecimal | text/number:0x10 | A number in hexadecimal. | the C library reads more than JSON allows
number-beyond-a-double | text/number:1e999 | A number that no double holds. | it becomes infinity, and is written back as what is no JSON
number-minus-zero | text/number:-0.0 | A number that is minus zero. | the sign is lost, or written back where none may be
number-of-64-bits | text/number:18446744073709551616 | A number of 65 bits. | the integer wraps around
= RFC 8259 section 4: names within an object
duplicate-member | text/duplicate:vendorId | A member that is there twice. | the check reads the first one, the handler the last one
duplicate-custom-data | text/duplicate:payload | A payload with customData twice. | the second one replaces what was checked
member-proto | text/member:proto | A member called __proto__. | members become attributes of all objects
member-nul | text/member:nul | A member whose name is NUL. | the name is empty for whoever reads C strings
= RFC 8259 sections 7 and 8: strings, their escapes and their bytes
raw-nul-in-a-string | text/string:nul | A string with a NUL in it. | the text ends there, and the rest is read as something else
raw-newline-in-a-string | text/string:newline | A string with a newline in it. | the log has a line that nobody wrote
bad-escape | text/string:bad-escape | A string with an escape that JSON has not. | unknown escapes are passed on
short-escape | text/string:short-escape | An escape of two digits. | two more characters are read than there are
escaped-nul | text/string:escaped-nul | A string with an escaped NUL, which is JSON. | valid text is cut at the NUL when it is stored
format-characters | text/string:format | A string of format characters. | text of the peer is used as a format, or looked up by the logger
right-to-left | text/string:right-to-left | A string that turns the direction of writing. | what an operator reads is not what was sent
lone-high-surrogate | text/surrogate:high | Half a surrogate pair. | it is decoded, and cannot be encoded when it is answered
swapped-surrogates | text/surrogate:swapped | A surrogate pair the wrong way round. | two halves are put together by their order, not by their kind
utf-8-byte-ff | text/utf-8:ff | A byte that UTF-8 does not have. | the decoder's exception ends the connection without a close frame
utf-8-overlong | text/utf-8:overlong-slash | A slash in two bytes. | the filter sees no slash, the file system does
utf-8-surrogate | text/utf-8:surrogate | A surrogate in three bytes. | the text is taken, and breaks whoever writes it out
utf-8-cut-end | text/utf-8:cut-end | A CALL behind which a character begins. | the decoder waits for bytes that never come
utf-16 | text/utf-8:utf-16 | A CALL in UTF-16. | the encoding is guessed
latin-1 | text/utf-8:latin-1 | A CALL in Latin-1. | the decoder falls back to another encoding, and the answer is not UTF-8
binary-message | text/binary:call | A CALL in a binary message. | binary messages have a handler that was never finished
binary-empty | text/binary:empty | A binary message of no bytes. | a length of zero is the end of the connection inside
= Part 4 section 4.1.2; RFC 8259 sections 2 and 7: other spellings of the same message
escaped-action | text/spelling:escaped-action | A CALL whose action is spelled in escapes. | the action is searched for in the raw text
whitespace-everywhere | text/spelling:whitespace | A CALL with blanks and line ends between all elements. | the message type is expected at a fixed place
"""

CASES: list[Recipe] = table(message, LINES)
