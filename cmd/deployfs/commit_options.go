package main

import "deployfs/cmd/internal/cli"

// messageOptions are those of the commit itself, in ostree's order.
func (o *commitOptions) messageOptions() []cli.Option {
	return []cli.Option{
		given(&o.parent, "parent", "", "COMMIT", `Parent commit checksum, or "none"`),
		cli.String(&o.subject, "subject", "s", "SUBJECT", "One line subject"),
		cli.String(&o.body, "body", "m", "BODY", "Full description"),
		given(&o.bodyFile, "body-file", "F", "FILE", "Commit message from FILE path"),
		cli.Flag(&o.editor, "editor", "e", "Use an editor to write the commit message"),
		cli.String(&o.branch, "branch", "b", "BRANCH", "Branch"),
		cli.Flag(&o.orphan, "orphan", "", "Create a commit without writing a ref"),
		cli.Flag(&o.noBindings, "no-bindings", "", "Do not write any ref bindings"),
		stringsOption(&o.bindRefs, "bind-ref", "BRANCH", "Add a ref to ref binding commit metadata"),
		given(&o.base, "base", "", "REV", "Start from the given commit as a base (no modifiers apply)"),
		stringsOption(&o.trees, "tree", "dir=PATH or tar=TARFILE or ref=COMMIT", "Overlay the given argument as a tree"),
		stringsOption(&o.metadata, "add-metadata-string", "KEY=VALUE", "Add a key/value pair to metadata"),
		stringsOption(&o.metadataTexts, "add-metadata", "KEY=VALUE", "Add a key/value pair to metadata, where the KEY is a string, and VALUE is in GVariant Text Format"),
		stringsOption(&o.keep, "keep-metadata", "KEY", "Keep metadata KEY and its associated VALUE from parent"),
		stringsOption(&o.detached, "add-detached-metadata-string", "KEY=VALUE", "Add a key/value pair to detached metadata"),
	}
}

// treeOptions are those of what is committed.
func (o *commitOptions) treeOptions() []cli.Option {
	return []cli.Option{
		cli.String(&o.owner, "owner-uid", "", "UID", "Set file ownership user id"),
		cli.String(&o.group, "owner-gid", "", "GID", "Set file ownership group id"),
		cli.Flag(&o.canonical, "canonical-permissions", "", "Canonicalize permissions in the same way bare-user does for hardlinked files"),
		cli.Flag(&o.bootable, "bootable", "", "Flag this commit as a bootable OSTree (e.g. contains a Linux kernel)"),
		cli.Flag(&o.readOnly, "mode-ro-executables", "", "Ensure executable files are not writable"),
		cli.Flag(&o.noXattrs, "no-xattrs", "", "Do not import extended attributes"),
		given(&o.policy, "selinux-policy", "", "PATH", "Set SELinux labels based on policy in root filesystem PATH (may be /)"),
		cli.Flag(&o.policyFromBase, "selinux-policy-from-base", "P", "Set SELinux labels based on first --tree argument"),
		cli.Flag(&o.links, "link-checkout-speedup", "", "Optimize for commits of trees composed of hardlinks into the repository"),
		cli.Flag(&o.trustLinks, "devino-canonical", "I", "Assume hardlinked objects are unmodified.  Implies --link-checkout-speedup"),
		cli.Flag(&o.tarParents, "tar-autocreate-parents", "", "When loading tar archives, automatically create parent directories as needed"),
		given(&o.tarFilter, "tar-pathname-filter", "", "REGEX,REPLACEMENT", "When loading tar archives, use REGEX,REPLACEMENT against path names"),
		cli.Flag(&o.skipUnchanged, "skip-if-unchanged", "", "If the contents are unchanged from previous commit, do nothing"),
		given(&o.statOverride, "statoverride", "", "PATH", "File containing list of modifications to make to permissions"),
		given(&o.skipList, "skip-list", "", "PATH", "File containing list of files to skip"),
		cli.Flag(&o.consume, "consume", "", "Consume (delete) content after commit (for local directories)"),
	}
}

// otherOptions are those of output, signatures and the way of writing.
func (o *commitOptions) otherOptions() []cli.Option {
	return []cli.Option{
		cli.Flag(&o.table, "table-output", "", "Output more information in a KEY: VALUE format"),
		stringsOption(&o.gpgKeys, "gpg-sign", "KEY-ID", "GPG Key ID to sign the commit with"),
		cli.String(&o.gpgHome, "gpg-homedir", "", "HOMEDIR", "GPG Homedir to use when looking for keyrings"),
		stringsOption(&o.keys, "sign", "KEY_ID", "Sign the commit with"),
		o.fileOption("Sign the commit with key from the provided file"),
		schemeOption(&o.scheme, "sign-type", ""),
		cli.Flag(&o.sizes, "generate-sizes", "", "Generate size information along with commit metadata"),
		cli.String(&o.fsync, "fsync", "", "POLICY", "Specify how to invoke fsync()"),
		cli.Hidden(o.disableFsync()),
		given(&o.timestamp, "timestamp", "", "TIMESTAMP", "Override the timestamp of the commit"),
	}
}

// disableFsync is what --fsync=false was before; the last of both counts.
func (o *commitOptions) disableFsync() cli.Option {
	off := cli.Func(func(string) error { o.fsync = "false"; return nil }, "disable-fsync", "", "", "Do not invoke fsync()")
	off.NoArg = true
	return off
}
