// Package doctor finds out what a machine can do for a mount: it does not
// believe version numbers where it can try.
//
// [Examine] gives one [Finding] for each thing: whether it is there, how that is
// known, what is missing, and how to get it. What has to be mounted to be tried
// is mounted by a child process, [Probe], in a mount namespace of its own, and,
// for those who may not mount, in a user namespace of their own. The child and
// all it mounted are gone when it ends, and it ends when its time is up. Nothing
// is written outside of such a namespace.
package doctor
