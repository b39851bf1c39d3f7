package objstore

// Override has a key of the configuration count with another value, as long as the
// repository is open: an option of a command line. The file stays as it is. It is
// not for concurrent use.
func (r *Repo) Override(group, key, value string) {
	r.config.groups[r.config.addGroup(group)].set(key, value)
}
