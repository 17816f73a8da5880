"""TLS: cases of the TLS lab, quick ones of every topic; `ocppfuzz tls` plays all there are."""

from __future__ import annotations

from recipe import Recipe, lab, table

LINES = """
= A00.FR.313, A00.FR.416: TLS 1.2 or above
hello-offers-tls-1-2 | TS-01 | What a ClientHello offers at best. | a library that was never updated
hello-offers-nothing-older | TS-02 | What a ClientHello offers at worst. | old versions stay on for the sake of one old server
csms-of-tls-1-1 | TS-15 | A CSMS of TLS 1.1. | the minimum is set on the server's side of the library only
csms-of-tls-1-2-only | TS-17 | A CSMS of TLS 1.2. | a client that must have 1.3 is locked out of what OCPP asks for
server-hello-of-ssl-3 | TS-16 | A ServerHello of SSL 3.0. | the version is read from the record, not from the message
= A00.FR.319, A00.FR.320, A00.FR.422, A00.FR.423: suites
hello-offers-the-suites-of-ocpp | TS-03 | The suites that a ClientHello offers. | the default list of the library lacks one of the pair
hello-offers-no-broken-suite | TS-04 | Suites that nobody should offer. | a list of suites ends in ALL
hello-offers-no-compression | TS-07 | Compression in a ClientHello. | compression is on by default (CVE-2012-4929)
suite-that-was-not-offered | TS-19 | A ServerHello of another suite. | the suite is looked up, not compared
suite-that-compresses | TS-25 | A ServerHello that compresses. | the method is taken as it comes
csms-without-a-certificate | TS-22 | A CSMS that shows no certificate. | anonymous suites are served when the server wants them
= A00.FR.308, A00.FR.411: a certificate under a root that is known
certificate-expired | TS-31 | An expired certificate. | errors of the library's check are logged, and the connection goes on
certificate-not-yet-valid | TS-32 | A certificate that begins in two days. | the clock is not set when certificates are checked, and so the check is off
certificate-of-its-own | TS-39 | A certificate that nobody but its owner signed. | the option for the laboratory is shipped
certificate-of-a-stranger | TS-40 | A certificate under another root. | the system's roots are asked as well
certificate-of-a-namesake | TS-41 | A root of the right name and another key. | roots are found by name, and the signature is not checked
certificate-of-no-ca | TS-43 | A certificate that is signed by no CA. | basicConstraints are not looked at
certificate-of-a-leaf | TS-44 | A certificate that is signed by a server's. | whoever has one certificate can make them all
certificate-below-a-last-ca | TS-45 | A CA below one that may have none. | the length of the path is not counted
certificate-with-a-wrong-bit | TS-54 | A wrong bit in a signature. | the outcome of the check is turned round in a callback
certificate-with-unknown-rules | TS-47 | A critical extension that nobody knows. | extensions are read by name, and others passed over
certificate-of-a-ca-that-may-not-sign | TS-71 | A CA whose keyUsage forbids to sign. | keyUsage is not looked at
certificate-for-clients | TS-48 | A certificate for clients alone. | any station's certificate opens a server
root-left-out-in-the-middle | TS-42 | A chain without the CA between. | a chain is built from what is there, or not at all
certificates-left-out | TS-76 | A handshake without a certificate. | the message is optional in the reader's table of states
= A00.FR.309, A00.FR.412, A00.FR.510, A00.FR.511: a certificate of the host that is dialled
certificate-of-another-host | TS-33 | A certificate of another host. | the name is checked by hand, and not at all
certificate-with-a-common-name-only | TS-34 | A certificate that has its name in commonName alone. | what OCPP asks for is refused by a newer library
certificate-without-a-name | TS-70 | A certificate of no host. | no name is every name
= A00.FR.501, A00.FR.502, A00.FR.503: keys that are long enough
curve-too-short | TS-52 | A curve of less than 224 bits. | the strength of the certificate is never asked
= RFC 5246 section 7.4: messages of a handshake in their order
second-server-hello | TS-79 | A second ServerHello. | a message out of order starts the handshake over
renegotiation-as-somebody-else | TS-29 | A renegotiation under another certificate. | only the first certificate is checked (CVE-2009-3555)
renegotiation-asked-for | TS-28 | A renegotiation that is asked for. | a request in the middle of a session ends it for good
= A00.FR.318, A00.FR.421; A00.FR.403: what a CSMS lets in
csms-knows-tls-1-2 | TC-01 | Which versions a CSMS speaks. | old versions stay on for the sake of one old station
station-without-a-certificate | TC-13 | A caller without a certificate. | the certificate is asked for, and not demanded
station-with-a-certificate-of-its-own | TC-14 | A caller whose certificate nobody signed. | the check is replaced by one that always agrees
station-on-the-path-of-another | TC-19 | The certificate of one station on the path of another. | whose certificate it is is never compared with the path
password-of-another | TC-44 | The credentials of one station on the path of another. | the password is looked up by the user, the station by the path
password-missing | TC-42 | A caller without a password. | a missing header is an empty password
"""

CASES: list[Recipe] = table(lab, LINES)
