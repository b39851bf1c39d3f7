package daemon

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"sync"
	"syscall"
	"time"

	"deployfs/objstore"
	"deployfs/objstore/lazy"
	"deployfs/objstore/object"
)

const (
	// KeepFetchedVerb is the verb of the process that puts into a repository what a server
	// has fetched: a confined server may not.
	KeepFetchedVerb = "keep-fetched"
	keepQueue       = 1 << 14         // objects that it may be behind
	keepTime        = 4 * time.Second // for what is left when the mount ends
)

// keeping hands on what was fetched to a process of its own.
type keeping struct {
	names chan object.Name
	end   chan struct{} // closed when no more are named
	done  chan struct{} // closed when the process has ended

	mu    sync.Mutex
	named map[object.Name]struct{}
}

func newKeeping() *keeping {
	return &keeping{names: make(chan object.Name, keepQueue), end: make(chan struct{}), done: make(chan struct{}), named: map[object.Name]struct{}{}}
}

// maxNamed bounds what is remembered of what was handed on.
const maxNamed = 1 << 18

// put hands an object on, once.
func (k *keeping) put(name object.Name) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if _, ok := k.named[name]; ok {
		return
	}
	select {
	case k.names <- name:
		if len(k.named) == maxNamed {
			clear(k.named)
		}
		k.named[name] = struct{}{}
	default: // the process is behind; it is fetched once more by whoever pulls
	}
}

// startKeeping starts the process, once the mount is made: nothing is kept of one that
// fails. Warn is told when it fails.
func (v *view) startKeeping(cfg *Config, warn func(error)) error {
	if v.keeps == nil {
		return nil
	}
	job, err := v.keepingJob(cfg)
	if err != nil {
		return err
	}
	head, err := json.Marshal(job)
	if err != nil {
		return err
	}
	in, out, err := os.Pipe()
	if err != nil {
		return err
	}
	var stderr bytes.Buffer
	cmd := exec.Command("/proc/self/exe", KeepFetchedVerb, cfg.Mountpoint)
	cmd.Args[0] = "deployfs"
	cmd.Stdin, cmd.Stderr = in, &stderr
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	err = cmd.Start()
	in.Close()
	if err != nil {
		out.Close()
		return fmt.Errorf("starting the process that keeps what is fetched: %w", err)
	}
	keeps := v.keeps
	go keeps.feed(out, append(head, '\n'))
	go func() {
		err := cmd.Wait()
		close(keeps.done)
		if err != nil {
			warn(fmt.Errorf("nothing more is kept in %s: %s", cfg.Keep, strings.TrimSpace(strings.TrimPrefix(stderr.String(), "error: "))))
		}
	}()
	return nil
}

// keepingJob is what the process is to do.
func (v *view) keepingJob(cfg *Config) (job lazy.Keeping, err error) {
	target, err := lazy.ParseTarget(cfg.Remote)
	if err != nil {
		return job, err
	}
	job = lazy.Keeping{Cache: v.source.Cache().Repo().Path(), Server: v.source.ID(), Repo: cfg.Keep, Commit: v.commit, Remote: target.Remote}
	if target.Back == 0 {
		job.Ref = v.found.Ref
	}
	if job.Remote != "" {
		return job, nil
	}
	repo, err := objstore.Open(cfg.Keep)
	if err != nil {
		return job, err
	}
	defer repo.Close()
	job.Remote, err = lazy.RemoteFor(repo, target.URL)
	return job, err
}

// feed names to the process what is to be kept.
func (k *keeping) feed(to io.WriteCloser, head []byte) {
	defer to.Close()
	if _, err := to.Write(head); err != nil {
		return
	}
	for {
		var name object.Name
		select {
		case name = <-k.names:
		default:
			select {
			case name = <-k.names:
			case <-k.end:
				return
			}
		}
		if _, err := io.WriteString(to, name.String()+"\n"); err != nil {
			return // it has ended
		}
	}
}

// close waits until all is kept.
func (k *keeping) close() {
	if k == nil {
		return
	}
	close(k.end)
	select {
	case <-k.done:
	case <-time.After(keepTime):
	}
}

// KeepFetched is what the process does.
func KeepFetched(ctx context.Context, in io.Reader) error {
	names := bufio.NewReader(in)
	head, err := names.ReadBytes('\n')
	if err != nil {
		return errors.New("only deployfs itself runs this")
	}
	var job lazy.Keeping
	if err := json.Unmarshal(head, &job); err != nil {
		return err
	}
	return lazy.Keep(ctx, job, names)
}
