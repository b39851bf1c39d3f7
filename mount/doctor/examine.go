package doctor

import (
	"context"
	"fmt"
	"time"
)

// probeTime is how long a probe may take, a child process too.
const probeTime = 5 * time.Second

// Config says for whom and for what the machine is examined.
type Config struct {
	Repo     string   // a repository that is to be mounted; "" is none
	CacheDir string   // where derived data is kept
	Room     int64    // bytes that should be free there
	Child    []string // a command that calls Probe with the arguments behind it
}

// machine is what several findings rest on.
type machine struct {
	Config
	trial
	kernel version
}

// trial is the try to serve a FUSE connection.
type trial struct {
	session session
	tried   error  // why there is no session
	own     bool   // it took a user namespace
	sample  string // what was to be passed through
}

// Examine tries everything. It takes some hundred milliseconds, and at most
// probeTime and a second for each thing that gives no answer.
func Examine(ctx context.Context, cfg Config) Report {
	m := &machine{Config: cfg, kernel: kernelVersion()}
	m.trial = bounded(ctx, probeTime, m.try, func(err error) trial { return trial{tried: err} })
	var r Report
	for _, p := range m.probes() {
		f := bounded(ctx, probeTime, p.find, silence)
		if f.Answer == "" {
			continue
		}
		f.What = p.what
		if p.what == "mounting" {
			r.Mountable = f.Answer != No
		}
		r.Findings = append(r.Findings, f)
	}
	return r
}

// probe finds out about one thing; no answer means that there is nothing to say.
type probe struct {
	what string
	find func(context.Context) Finding
}

// probes are in the order in which they are told.
func (m *machine) probes() []probe {
	return []probe{
		{"fuse device", m.device},
		{"mounting", m.mounting},
		{"kernel", m.kernelAge},
		{"fusermount3", m.fusermount},
		{"other users", m.allowOther},
		{"passthrough", m.passthrough},
		{"resend", m.resend},
		{"overlay", m.overlay},
		{"beneath", m.beneath},
		{"user namespaces", m.userNamespaces},
		{"landlock", m.landlock},
		{"fs-verity", m.verity},
		{"descriptor store", m.descriptorStore},
		{"cache", m.cache},
		{"repository", m.repository},
		{"lock", m.lock},
		{"index", m.index},
	}
}

// bounded gives up on a probe that hangs, over a dead network file system
// perhaps, and leaves its thread behind.
func bounded[T any](ctx context.Context, limit time.Duration, probe func(context.Context) T, failed func(error) T) T {
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	answer := make(chan T, 1)
	go func() { answer <- probe(ctx) }()
	select {
	case a := <-answer:
		return a
	case <-time.After(limit + time.Second):
		return failed(errSilence)
	}
}

var errSilence = fmt.Errorf("no answer within %v", probeTime)

func silence(err error) Finding {
	return no(err.Error(), "an answer", "a file system that is asked may hang: `findmnt` shows what there is")
}

func (m *machine) try(ctx context.Context) (t trial) {
	file, name := m.sampleFile()
	defer file.Close() // it was only read
	t.sample = name
	t.own, t.tried = m.child(ctx, &t.session, "fuse", file)
	return t
}
