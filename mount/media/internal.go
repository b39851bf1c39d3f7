package media

import (
	"os/user"
	"slices"
	"strings"

	"deployfs/mount"
)

// internalTypes are the file systems that no medium has, as GLib knows them.
var internalTypes = strings.Fields(`adfs afs auto autofs autofs4 cgroup configfs cxfs debugfs devfs devpts devtmpfs
	ecryptfs fdescfs fusectl gfs gfs2 gpfs hugetlbfs kernfs linprocfs linsysfs lustre lustre_lite mfs mqueue ncpfs nfsd
	nullfs ocfs2 overlay proc procfs pstore ptyfs rootfs rpc_pipefs securityfs selinuxfs sysfs tmpfs usbfs`)

// internalSources are those of mounts that are no medium's.
var internalSources = []string{"none", "sunrpc", "devpts", "nfsd", "/dev/loop", "/dev/vn"}

func internal(e mount.Entry) bool {
	return slices.Contains(internalTypes, e.Type) || slices.Contains(internalSources, e.Source)
}

// userName is the caller's name, or "".
func userName() string {
	u, err := user.Current()
	if err != nil {
		return ""
	}
	return u.Username
}
