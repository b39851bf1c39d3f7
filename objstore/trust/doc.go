// Package trust decides whether a commit is signed by somebody whom this
// machine trusts, and says why not.
//
// Whose keys count: those of the remote that a commit is taken from, when its
// configuration has any (verification-ed25519-key, verification-ed25519-file,
// gpgkeypath) or there is a keyring of its name (REMOTE.trustedkeys.gpg); else the
// system's, which are in trusted.ed25519 and trusted.ed25519.d/* below /etc/ostree
// and /usr/share/ostree, and in trusted.gpg.d/*.gpg below the latter, or in the
// directory OSTREE_GPG_HOME. So a remote that has keys of its own is bound to them.
// When sign-verify lists schemes, only these count, and their keys must be the
// remote's own; GPG counts beside them when gpg-verify is true, and never when it
// is false. Keys in revoked.ed25519 and revoked.ed25519.d/* of the system count for
// nothing, whoever trusts them; there ostree is less strict, and looks at them only
// where the system's keys are used.
//
// One good signature is enough, unless the remote's configuration sets both
// gpg-verify and sign-verify: then one of each is needed. What can't be read or
// understood of Ed25519 keys is an error: a revocation must not get lost.
//
// A [Verifier] is for pulls: it asks for a GPG signature, as ostree does.
//
// Source: ostree, src/libostree/ostree-repo-pull-verify.c, ostree-sign-ed25519.c,
// ostree-repo.c.
package trust
