// Package openpgp makes and checks OpenPGP signatures of commits and summaries,
// and keeps the keyrings of those who may sign.
//
// Signatures are made by the program gpg, which alone has the secret keys. They
// are checked here, by the rules of gpg 2.2, so that checking needs no program
// and no home directory of one: which self-signature of a key counts, when a key
// has expired or is revoked, which subkeys may sign. The words in which results
// are told are ostree's.
//
// In two things this is stricter or wider than ostree with the gpg of its time.
// All signatures are looked at, where gpg stops at the first bad one. And
// keyrings may be armoured, whatever their name.
//
// Source: GnuPG, g10/getkey.c and g10/sig-check.c; ostree,
// src/libostree/ostree-gpg-verifier.c and ostree-gpg-verify-result.c.
package openpgp
