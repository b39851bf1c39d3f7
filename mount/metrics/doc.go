// Package metrics tells what is mounted in the text format of Prometheus,
// version 0.0.4: on a stream, as a file for node_exporter's textfile collector,
// or over HTTP on a Unix socket.
//
// Every sample has the labels mountpoint, repo, ref and commit. A mount whose
// server does not answer has a deployfs_up of 0, and no other sample. Of mounts
// that share all four labels, as one that was detached does with its successor,
// the one is told that is not detached.
//
// See https://prometheus.io/docs/instrumenting/exposition_formats.
package metrics
