package daemon

import (
	"time"

	"deployfs/mount/keeper"
)

// Status is what a server tells about its mount. Of a mount whose server does
// not answer, only the first facts are known, and PID is 0. Its JSON form is a
// promise to scripts: names stay.
type Status struct {
	Mountpoint string `json:"mountpoint"`
	Repo       string `json:"repo"`
	Rev        string `json:"ref"`    // as it was asked for
	Commit     string `json:"commit"` // checksum, "" when all are shown
	History    bool   `json:"history,omitempty"`
	Subpath    string `json:"subpath,omitempty"`
	Overlay    string `json:"overlay,omitempty"`
	Verify     string `json:"verify"`
	Partial    bool   `json:"partial"`    // objects may be absent by intention
	Locked     bool   `json:"locked"`     // prune waits for this mount
	Device     string `json:"device"`     // MAJOR:MINOR of the mount, as in the mount table
	Detached   bool   `json:"detached"`   // no longer in the mount table, or in another namespace's
	Connection uint32 `json:"connection"` // number in /sys/fs/fuse/connections
	PID        int    `json:"pid"`        // of the server
	Version    string `json:"version"`    // its program's
	keeper.Counts
	Since      time.Time `json:"since,omitzero"`
	Requests   uint64    `json:"requests"` // messages from the kernel
	Bytes      uint64    `json:"bytes"`    // of content handed out
	Errors     uint64    `json:"errors"`   // requests that failed for want of an object or of memory
	Damaged    uint64    `json:"damaged"`  // objects that are not what their names say
	Nodes      int       `json:"nodes"`    // entries that the kernel has asked for
	OpenFiles  int       `json:"open_files"`
	Data       string    `json:"data"`        // how content reaches the kernel
	DataReason string    `json:"data_reason"` // why so
	Index      Index     `json:"index"`
	Confined   string    `json:"confinement"` // what the server has given up: parts, as in "landlock(7) caps seccomp", or "none: REASON"
	Memory     Usage     `json:"memory"`      // bytes of decoded metadata
	Cache      Usage     `json:"cache"`       // bytes of inflated content on disk
	Remote     *Remote   `json:"remote,omitempty"`
}

// Index tells about the tree index of a mount.
type Index struct {
	State IndexState `json:"state"`
	Bytes int        `json:"bytes,omitempty"`
	Error string     `json:"error,omitempty"` // why there is none
}

// IndexState is how far a mount has come with its index.
type IndexState string

// The states, in their order.
const (
	IndexNone     IndexState = "none"     // not wanted, or not to be had
	IndexChecking IndexState = "checking" // looks for one and checks it
	IndexBuilding IndexState = "building"
	IndexUsed     IndexState = "used"
)

// Usage is how much of a limit is used, in bytes.
type Usage struct {
	Used  int64 `json:"used"`
	Limit int64 `json:"limit"`
}
