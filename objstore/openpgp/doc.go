// Package openpgp makes and checks OpenPGP signatures of commits and summaries,
// and keeps the keyrings of those who may sign.
//
// Signatures are made by the program gpg, which alone has the secret keys. They
// are checked here, by the rules of gpg 2.2, so that checking needs no program
// and no home directory of one: which self-signature of a key counts, when a key
// has expired or is revoked, which subkeys may sign. The words in which results
// are told are ostree's.
//
// Some things are other than with ostree and the gpg of its time. All signatures
// are looked at, where gpg stops at the first bad one. Keyrings may be armoured,
// whatever their name, and copies of a key in several of them count as one key, so
// that no copy hides a revocation. Signatures of text, which hold for other line
// ends, too, are of no use, nor are those of version 3. A revocation by somebody
// else whom a key names as its revoker does not count.
//
// Source: GnuPG, g10/getkey.c and g10/sig-check.c; ostree,
// src/libostree/ostree-gpg-verifier.c and ostree-gpg-verify-result.c.
package openpgp
