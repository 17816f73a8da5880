"""WebSocket: frames below whole messages, how connections end, and how callers are received badly."""

from __future__ import annotations

from dataclasses import replace

from recipe import Recipe, framing, table

from fuzz.records import Case, SendFrames, Step

COMPRESSED = {
    "rsv/not-negotiated": (
        "c16f4ccbb10ac3300c45d17f79b3b364f4ea42d3a999ba840c4a2b42c0968a22bc18ff7b97423b5e"
        "38771903ecac83a80fc2bbfa41ce2f045cd91f64076d994f8486fdd71772425c1a9e5ade2a2c8ed8"
        "20541811f734cf494b496ed9d003eaf7fa331393f9c6e43771b64a19bdaf7dfd00"
    ),
    "deflate/one": (
        "c16b4ccbbd0ac2401045e177b9f5a649b9ed0ac62aa9d28414373a8ab03f320e69967d772d04531e"
        "f8ced23bdce41e69d2952c70388bcdd427b7286fb88ac7bf4f34c22f15d7925e5f9d0dbe2233093c"
        "c6304da1a4144ca3a239ecbfeb6006a1da26b44b36d19d11adad6dfd00"
    ),
    "deflate/fresh-each": (
        "c1744ccbbd0ac2301486e17bf9e66471cc1ac13ad9c9a574386d4f6c213f7272e81272ef2e828e2f"
        "3cef7431d8384452b641b8ee9669dd6d38a42a0c6eac4f928396c815a6e1f5eb2b29c14d0d6b49ef"
        "92392b5c43a6c47078f871f42525af1205dde0fc5e7f6660125d98f49e95e5a488dee73e7f00c170"
        "4ccbbd0ac2401045e177b9f5a6b1dc768568652a9b9062126f8cb03f3219d22cfbee36829607be33"
        "9e1c1e5ca318bb55b96f1d65d9e0d0d3eea22f992377b88ae7afcf62023f562c25bd4b6636f88a2c"
        "89f0b885610825a5601a15cde1f85e7fe642519b2976cd463d24a2b5a94d1f00"
    ),
    "deflate/context": (
        "c1724c8dbb0ac2401405ffe5d49bc672db15d4ca543621c54dbc91c03ee4e6108465ff5d0b41cb81"
        "19663838dc758942ede692a92f76cb6a1be17052dec45699a26e70158f1f1f85023f54cc253d4bd6"
        "4cf88a2c49e1710d7d1f4a4a81160dcd61ff567fce59c538a9f0f279da2e11ad8d6d7c03c1088ac6"
        "74cec0380400"
    ),
    "deflate/fragmented": (
        "41144c8dbb0ac2401405ffe5d46b9372db158c95a96c805b428a137313847dc8f59266d97f3785a0"
        "e5c00c33760e8bac9126a755b925c9260b1c2e6277ea937394375cc5f6e3338df063c5a3a457c947"
        "015f9199041eb7300ca1a4144ca3a239ecdfeacfe9856ab3d0aec74c7746b436b5e903"
    ),
    "deflate/rsv1-continuation": (
        "41144ccb310bc2301086e1fff2cde9a063d608ea6427c06097d2e15a4f092417b95eb384fc771741"
        "c7179e773a3a3cf899c878d0ad1e86b58845d9c96211389cd9eea49196c41b5cc3ebd72732829f1a"
        "d692df45580cbe4128333c6e611c43c93998264577a8dfebcf5c98d41626bb8ab1564ae87deef307"
    ),
    "deflate/half": (
        "c1364ccbb10a02311045d17f79756c2cd34658addcca66d9e2adceaa3049641cb609f9771b41cb0b"
        "e74efb809bac4a97dd83ba226010bfd0"
    ),
}
"""The frames of cases that are compressed, in hexadecimal: no two builds of zlib need compress alike."""

LINES = """
= RFC 6455 section 5.4: a message may come in fragments, and control frames between them
fragments-of-one-byte | fragment/bytes | A CALL in fragments of one byte. | each fragment is taken for a message
fragment-empty-first | fragment/empty-first | A CALL whose first fragment is empty. | an empty frame is the end of the message
fragment-empty-between | fragment/empty-between | A CALL with an empty fragment in the middle. | a length of zero ends the loop that reads
fragment-empty-last | fragment/empty-last | A CALL whose last fragment is empty. | the message is handed on without its end
fragment-inside-a-character | fragment/inside-character | A CALL that is cut within a character. | UTF-8 is checked by fragment, and valid text is refused
ping-between-fragments | fragment/ping-between | A ping between two fragments. | the ping's data becomes part of the message
pong-and-ping-between-fragments | fragment/pong-and-ping-between | A pong and a ping between two fragments. | one buffer serves data and control frames
fragments-with-a-pause | fragment/paused | A CALL with a pause between its fragments. | the reader blocks all others while it waits
continuation-without-a-start | fragment/no-start | A continuation of nothing. | the buffer of the last message is continued
message-within-a-message | fragment/text-inside | A new message within one in fragments. | the first half is kept, and put before a later message
frame-in-drops | drip/slow | A frame that takes seconds to come. | a time limit is set by read, or by message: one of them hangs up
= RFC 6455 section 8.1: text is UTF-8
utf-8-broken-across-fragments | utf8/broken-across | A character that is broken across two fragments. | each fragment is checked alone, and the border is not
utf-8-surrogate-across-fragments | utf8/surrogate-across | A surrogate across two fragments. | the state of the decoder is forgotten between frames
utf-8-overlong-across-fragments | utf8/overlong-across | An overlong slash across two fragments. | what is not decoded at once is never checked
= RFC 6455 section 5.2: reserved bits, opcodes and lengths
reserved-bit-2 | rsv/rsv2 | A frame with the second reserved bit. | reserved bits are masked away
reserved-bit-3-in-a-continuation | rsv/rsv3-continuation | A continuation with the third reserved bit. | only first frames are checked
reserved-bit-1-in-a-ping | rsv/rsv1-ping | A ping that says it is compressed. | control frames go through the inflater
reserved-bit-1-not-negotiated | rsv/rsv1-plain | A frame that says it is compressed where nothing was agreed. | the connection is cut, and the caller locked out as a duplicate
compressed-not-negotiated | rsv/not-negotiated | A compressed frame where nothing was agreed. | the exception leaves the receive loop
opcode-3 | opcode/3 | A data frame of an opcode that has no meaning. | unknown opcodes are taken for text
opcode-7 | opcode/7 | The last opcode of data that has no meaning. | the opcode indexes a table of seven
opcode-b | opcode/b | A control frame of an opcode that has no meaning. | unknown control frames are answered by their own
opcode-f | opcode/f | The last opcode of all. | the opcode indexes a table that ends before it
length-in-8-bytes | length/minimal-64 | A short length in eight bytes. | lengths that are too long are refused, or read as two frames
ping-length-in-2-bytes | length/minimal-ping | A ping whose length is written in two bytes. | the limit of control frames is read off the first byte
length-too-short | length/shorter | A length two less than what comes. | what is left is read as the next frame, and asks for gigabytes
length-too-long | length/longer | A length ten more than what comes. | the reader waits for the rest for ever, and pings do not wake it
length-with-the-highest-bit | length/highest-bit | A length of 63 bits and a sign. | the length is negative
length-of-4-gigabytes | length/four-gigabytes | A frame that says it has 4 gigabytes. | the buffer is allocated before anything has come
length-endless | length/endless | A frame of the greatest length of all. | header and length are added, and overflow
= RFC 6455 section 5.1: a server does not mask
frame-masked-by-the-server | mask/masked | A masked frame from the server. | the mask is applied, or not, but never refused
= RFC 6455 section 5.5: control frames are short and whole
ping-of-126-bytes | control/ping-126 | A ping that is one byte too long. | its data are copied into 125 bytes of stack
ping-in-fragments | control/ping-fragmented | A ping in two fragments. | the second one continues a message
pong-of-126-bytes | control/pong-126 | A pong that is one byte too long. | pongs are not looked at, since nobody reads them
ping-empty | ping/empty | A ping without data. | a ping without data is answered by a text
ping-full | ping/full | A ping with all the data that it may have. | the pong is cut, and the peer takes the connection for dead
pings-two-at-once | ping/two | Two pings in one write. | only the first one is answered, or only the last one in time
pong-nobody-asked-for | ping/unsolicited-pong | A pong for no ping. | the list of pings that wait is read where it is empty
pings-a-thousand | ping/flood | A thousand pings. | pongs are queued without a limit
= RFC 7692 section 7: permessage-deflate
deflate-one | deflate/one | A compressed CALL. | the four bytes that end a message are not put back
deflate-stored | deflate/stored | A CALL that is compressed without being so. | blocks without compression are not known
deflate-two-with-context | deflate/context | Two compressed CALLs, the second one with the context of the first. | the context is thrown away, and the second message cannot be read
deflate-two-without-context | deflate/fresh-each | Two compressed CALLs, each by itself. | an empty context is told from a used one by length
deflate-in-fragments | deflate/fragmented | A compressed CALL in fragments. | each fragment is inflated as if it were whole
deflate-garbage | deflate/garbage | What says that it is compressed, and is not. | the inflater's error is none that is caught
deflate-bit-in-a-continuation | deflate/rsv1-continuation | A continuation that says again that it is compressed. | the inflater is started anew in the middle
deflate-half | deflate/half | Half a compressed CALL. | what was inflated so far is served
deflate-of-nothing | deflate/nothing | A compressed message of nothing. | a message of no bytes is printed, and NULL is not text
= RFC 6455 sections 5.5.1 and 7.4: how a connection is closed
close-of-one-byte | close/one-byte | A close frame of one byte. | two bytes are read where one is
close-code-0 | close/code-0 | A close frame of code 0. | 0 is no code, and no close
close-code-1005 | close/code-1005 | A close frame of a code that is never sent. | the code is echoed, and the library throws
close-code-1006 | close/code-1006 | A close frame of the code of cut connections. | the peer's word decides whether the link is taken for lost, and no new one is made
close-code-65535 | close/code-65535 | A close frame of the greatest code. | the code indexes a table of reasons
close-reason-not-utf-8 | close/reason-not-utf8 | A close frame whose reason is not UTF-8. | the reason is logged, and the log throws
close-too-long | close/too-long | A close frame that is longer than control frames are. | the reason is copied into 123 bytes
close-in-fragments | close/in-parts | A close frame in fragments. | the close is never completed, and the socket stays
close-and-then-a-call | close/then-call | A CALL behind a close frame. | a CALL is served after the end, and its answer written to a closed socket
close-twice | close/twice | Two close frames. | the second one frees what is free
close-within-a-message | close/inside-message | A close frame within a message in fragments. | the half message comes back on the next connection
= Part 4 section 5.3; RFC 6455 section 7.1.5: a connection that is cut is made again
cut-within-a-frame-head | cut/in-head | A connection that is cut within a frame's head. | the reader waits for the second byte for ever
cut-within-a-payload | cut/in-payload | A connection that is cut within a frame. | half a frame is kept, and put before the first one of the next connection
cut-between-fragments | cut/between-fragments | A connection that is cut between two fragments. | the first fragment is continued on the next connection
= Part 4 sections 3.1, 3.2 and 5.3; RFC 6455 section 4.1: a caller that is received badly tries again
call-refused | handshake/refuse-tcp | Nobody listens for a while. | connecting fails while its context is taken down, and the process ends
call-answered-by-503 | handshake/503 | The CSMS is overloaded. | any answer but 101 is final
call-answered-by-503-in-a-second | handshake/503-retry-after | The CSMS says when to come again. | the header is a number that nobody limits
call-answered-by-401 | handshake/401 | The CSMS does not know the station. | a refused password is thrown away, and no other is there
call-answered-by-404 | handshake/404 | The CSMS does not know the path. | the address is taken from the list of those to try
call-answered-by-200 | handshake/200 | A web page in place of a WebSocket. | the page is read as frames
call-redirected | handshake/redirect | The CSMS sends the station somewhere else. | credentials go along to wherever it is
call-answered-by-nonsense | handshake/101-nonsense | A WebSocket key that fits no request. | the key is not compared
call-answered-by-another-subprotocol | handshake/101-other-subprotocol | A subprotocol that was not offered. | the connection stays half-open, in no list and never pinged
call-answered-by-an-extension | handshake/101-extension | An extension that was not offered. | frames are read by rules that nobody agreed on
call-answered-by-a-long-header | handshake/101-long-header | A header of many kilobytes. | headers go into a buffer of fixed size
call-answered-by-garbage | handshake/http-garbage | What is no HTTP. | the parser waits for the end of a line
call-cut-in-the-answer | handshake/cut-in-101 | A connection that is cut within the answer. | the attempt is neither failed nor done
call-cut-in-tls | handshake/tls-abort | A connection that ends where TLS would begin. | every failed attempt leaks its context
"""


def _framed(id_: str) -> Case:
    case = framing(id_)
    if id_ not in COMPRESSED:
        return case
    data = bytes.fromhex(COMPRESSED[id_])

    def fixed(step: Step) -> Step:
        return SendFrames(data) if isinstance(step, SendFrames) else step

    return replace(case, steps=tuple(map(fixed, case.steps)))


CASES: list[Recipe] = table(_framed, LINES)
