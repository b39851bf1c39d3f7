package metrics

import "deployfs/mount/daemon"

// metric is one family of samples. Units are in the names.
type metric struct {
	name  string // without the prefix
	kind  string // "counter" or "gauge"
	help  string
	value func(daemon.Status) float64
}

const prefix = "deployfs_"

// up is told of every mount, the others of those whose server answers.
var up = metric{"up", "gauge", "Whether the server of the mount answers.", func(s daemon.Status) float64 { return bit(s.PID != 0) }}

var table = []metric{
	{"start_time_seconds", "gauge", "When the mount was made, in Unix time.", func(s daemon.Status) float64 { return float64(s.Since.UnixMilli()) / 1000 }},
	{"requests_total", "counter", "Requests from the kernel.", func(s daemon.Status) float64 { return float64(s.Requests) }},
	{"content_bytes_total", "counter", "Bytes of content that were handed out.", func(s daemon.Status) float64 { return float64(s.Bytes) }},
	{"errors_total", "counter", "Requests that failed for want of an object or of memory.", func(s daemon.Status) float64 { return float64(s.Errors) }},
	{"damaged_objects_total", "counter", "Objects that are not what their names say.", func(s daemon.Status) float64 { return float64(s.Damaged) }},
	{"restarts_total", "counter", "Servers that died and were replaced.", func(s daemon.Status) float64 { return float64(s.Restarts) }},
	{"upgrades_total", "counter", "Servers that were replaced by another program.", func(s daemon.Status) float64 { return float64(s.Upgrades) }},
	{"kept", "gauge", "Whether another server takes over when this one dies.", func(s daemon.Status) float64 { return bit(s.Keeper != 0) }},
	{"nodes", "gauge", "Entries that the kernel has asked for.", func(s daemon.Status) float64 { return float64(s.Nodes) }},
	{"open_files", "gauge", "Content objects that are held open.", func(s daemon.Status) float64 { return float64(s.OpenFiles) }},
	{"memory_used_bytes", "gauge", "Decoded metadata in memory.", func(s daemon.Status) float64 { return float64(s.Memory.Used) }},
	{"memory_limit_bytes", "gauge", "Limit of decoded metadata in memory.", func(s daemon.Status) float64 { return float64(s.Memory.Limit) }},
	{"cache_used_bytes", "gauge", "Inflated content on disk.", func(s daemon.Status) float64 { return float64(s.Cache.Used) }},
	{"cache_limit_bytes", "gauge", "Limit of inflated content on disk.", func(s daemon.Status) float64 { return float64(s.Cache.Limit) }},
	{"index_used", "gauge", "Whether a tree index is used.", func(s daemon.Status) float64 { return bit(s.Index.State == daemon.IndexUsed) }},
	{"index_bytes", "gauge", "Size of the tree index.", func(s daemon.Status) float64 { return float64(s.Index.Bytes) }},
	{"fetched_bytes_total", "counter", "Bytes that came from a server, by this process.", func(s daemon.Status) float64 { return float64(remote(s).Fetched) }},
	{"fetched_objects_total", "counter", "Objects that came from a server, by this process.", func(s daemon.Status) float64 { return float64(remote(s).Objects) }},
	{"fetch_hits_total", "counter", "How often nothing had to be fetched for what was looked at.", func(s daemon.Status) float64 { return float64(remote(s).Hits) }},
	{"fetch_cache_used_bytes", "gauge", "What was fetched and is kept.", func(s daemon.Status) float64 { return float64(remote(s).Cache.Used) }},
	{"server_answers", "gauge", "Whether the server that objects come from answers; 1 where they come from none.", func(s daemon.Status) float64 { return bit(s.Remote == nil || s.Remote.Answers) }},
	{"locked", "gauge", "Whether prune waits for the mount.", func(s daemon.Status) float64 { return bit(s.Locked) }},
	{"partial", "gauge", "Whether objects may be absent by intention.", func(s daemon.Status) float64 { return bit(s.Partial) }},
	{"detached", "gauge", "Whether the mount is no longer in the mount table.", func(s daemon.Status) float64 { return bit(s.Detached) }},
}

// remote is what was fetched for a mount, nothing where all is here.
func remote(s daemon.Status) daemon.Remote {
	if s.Remote == nil {
		return daemon.Remote{}
	}
	return *s.Remote
}

func bit(b bool) float64 {
	if b {
		return 1
	}
	return 0
}

// more are the labels of the sample deployfs_mount_info, whose value is 1, in
// addition to those of every sample.
var more = []label{
	{"subpath", func(s daemon.Status) string { return s.Subpath }},
	{"overlay", func(s daemon.Status) string { return s.Overlay }},
	{"version", func(s daemon.Status) string { return s.Version }},
	{"verify", func(s daemon.Status) string { return s.Verify }},
	{"data", func(s daemon.Status) string { return s.Data }},
	{"index", func(s daemon.Status) string { return string(s.Index.State) }},
}

// HistoryRef stands for the ref of a mount that shows all commits. No ref can have
// this name.
const HistoryRef = "(history)"

func ref(s daemon.Status) string {
	if s.History {
		return HistoryRef
	}
	return s.Rev
}

// label is a name and where its value comes from.
type label struct {
	name  string
	value func(daemon.Status) string
}

// labels are those of every sample.
var labels = []label{
	{"mountpoint", func(s daemon.Status) string { return s.Mountpoint }},
	{"repo", func(s daemon.Status) string { return s.Repo }},
	{"ref", ref},
	{"commit", func(s daemon.Status) string { return s.Commit }},
}
