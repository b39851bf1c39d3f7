// Package sign makes and checks signatures: given bytes, signatures and keys it
// says what each signature is worth. Which keys count, and whether a signature is
// demanded at all, is not its business. It does no I/O.
//
// Signatures of a commit stand in its detached metadata, which no checksum
// covers, as an array of byte strings under a key for each scheme. They are made
// over the bytes of the commit object. Those of a summary stand in the same form
// in summary.sig.
//
// The schemes beside GPG, which objstore/openpgp has, are ed25519, spki and dummy. Keys
// of spki say of what kind they are: Ed25519, Ed448, RSA, or ECDSA by a curve of NIST.
//
// Source: ostree, src/libostree/ostree-sign.c, ostree-sign-ed25519.c, ostree-sign-spki.c,
// ostree-blob-reader-pem.c.
package sign
