package main

import "strings"

// status is what a server tells about a mount.
type status struct {
	Mountpoint string `json:"mountpoint"`
	PID        int    `json:"pid"`
	Requests   uint64 `json:"requests"`
	Data       string `json:"data"` // data path; "" when it is not told
	Index      struct {
		State string `json:"state"`
	} `json:"index"`
}

// setting is the data path and whether an index is used, as the server says.
func (s status) setting() string {
	var parts []string
	if s.Data != "" {
		parts = append(parts, s.Data)
	}
	switch s.Index.State {
	case "":
	case "used":
		parts = append(parts, "index")
	default:
		parts = append(parts, "no index")
	}
	return strings.Join(parts, ", ")
}
