package main

import "deployfs/objstore/usage"

// dfJSON is what df prints as JSON. All sizes are in bytes.
type dfJSON struct {
	Refs        []dfRefJSON `json:"refs"`
	Commits     int         `json:"commits"`
	Reachable   amountJSON  `json:"reachable"`
	Unreachable amountJSON  `json:"unreachable"`
	Other       dfOtherJSON `json:"other"`
	Prune       dfPruneJSON `json:"prune"`
}

// amountJSON is objects or files: their number, what is in them, and the blocks
// that they take.
type amountJSON struct {
	Files  int    `json:"files"`
	Size   uint64 `json:"size"`
	OnDisk uint64 `json:"on_disk"`
}

func newAmountJSON(a usage.Amount) amountJSON { return amountJSON{a.Count, a.Size, a.Disk} }

type dfRefJSON struct {
	Ref        string     `json:"ref"`
	Remote     string     `json:"remote,omitempty"`
	Collection string     `json:"collection,omitempty"`
	Checksum   string     `json:"checksum"`
	Commits    int        `json:"commits"`
	Objects    amountJSON `json:"objects"`
	Exclusive  amountJSON `json:"exclusive"`
}

// dfOtherJSON is what a repository has besides objects.
type dfOtherJSON struct {
	Detached amountJSON `json:"detached_metadata"`
	Deltas   amountJSON `json:"static_deltas"`
	Summary  amountJSON `json:"summary"`
	Indexes  amountJSON `json:"indexes"`
	Scratch  amountJSON `json:"scratch"`
	Rest     amountJSON `json:"rest"`
	Unread   int        `json:"unread_directories,omitempty"`
}

// dfPruneJSON is what prune --refs-only would free.
type dfPruneJSON struct {
	Depth    int        `json:"depth"` // -1 for all parents
	Objects  amountJSON `json:"objects"`
	Detached amountJSON `json:"detached_metadata"`
	Deltas   amountJSON `json:"static_deltas"`
	InUse    amountJSON `json:"mounted"` // objects that stay only because they are
}

func newDfJSON(r usage.Report) dfJSON {
	j := dfJSON{Refs: []dfRefJSON{}, Commits: r.Commits.Count, Reachable: newAmountJSON(r.Reachable), Unreachable: newAmountJSON(r.Unreachable)}
	for _, ref := range r.Refs {
		j.Refs = append(j.Refs, dfRefJSON{
			Ref: ref.String(), Remote: ref.Remote, Collection: ref.Collection, Checksum: ref.Checksum,
			Commits: ref.Commits, Objects: newAmountJSON(ref.Objects), Exclusive: newAmountJSON(ref.Exclusive),
		})
	}
	o, p := r.Other, r.Prune
	j.Other = dfOtherJSON{
		newAmountJSON(o.Detached), newAmountJSON(o.Deltas), newAmountJSON(o.Summary),
		newAmountJSON(o.Indexes), newAmountJSON(o.Scratch), newAmountJSON(o.Rest), o.Unread,
	}
	j.Prune = dfPruneJSON{depthNumber(p.Depth), newAmountJSON(p.Objects), newAmountJSON(p.Detached), newAmountJSON(p.Deltas), newAmountJSON(p.InUse)}
	return j
}
