// Package trust decides whether a commit, a summary or a static delta is signed by
// somebody whom this machine trusts, and says why not.
//
// A [Policy] has demands, each of a good signature by one of several schemes with their
// keys. That of a pull is what the remote's configuration asks for, in ostree's words:
// gpg-verify, gpg-verify-summary, sign-verify, sign-verify-summary. [Check] asks for a
// signature whatever the configuration says.
//
// Whose keys count: those of the remote that a commit is taken from, when its
// configuration has any (verification-ed25519-key, verification-ed25519-file, the same
// for spki, gpgkeypath) or there is a keyring of its name (REMOTE.trustedkeys.gpg); else
// the system's, which are in trusted.ed25519 and trusted.ed25519.d/* below /etc/ostree
// and /usr/share/ostree, in trusted.spki and trusted.spki.d/* there, and in
// trusted.gpg.d/*.gpg below the latter, or in the directory OSTREE_GPG_HOME. For a pull
// a remote has keys of its own or not by each scheme apart. For [Check] a remote that
// has some of any scheme is bound to them.
//
// When sign-verify lists schemes, only these count, and their keys must be the remote's
// own. For [Check] GPG counts beside them when gpg-verify is true, and never when it is
// false. Keys in revoked.ed25519, revoked.spki and the files in revoked.ed25519.d and
// revoked.spki.d of the system count for nothing, whoever trusts them; there ostree is
// less strict, and looks at them only where the system's keys are used.
//
// One good signature is enough, unless the remote's configuration sets both gpg-verify,
// which a pull takes for true when it is not set, and sign-verify: then one of each is
// needed. What can't be read or understood of revoked keys is an error: a revocation
// must not get lost.
//
// Source: ostree, src/libostree/ostree-repo-pull-verify.c, ostree-sign-ed25519.c,
// ostree-sign-spki.c, ostree-repo.c.
package trust
