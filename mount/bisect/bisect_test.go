package bisect

import (
	"context"
	"encoding/binary"
	"errors"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"deployfs/objstore/history"
	"deployfs/objstore/object"
)

// fake is a history of commits 1 to length, each the parent of the next; the
// parent of the oldest is not there when it is shallow.
type fake struct {
	length  int
	shallow bool
	reads   int
}

func sum(i int) (s object.Checksum) {
	binary.BigEndian.PutUint32(s[:], uint32(i))
	s[31] = 1
	return s
}

func (f *fake) Commit(s object.Checksum) (object.Commit, error) {
	f.reads++
	i := int(binary.BigEndian.Uint32(s[:]))
	if i < 1 || i > f.length {
		return object.Commit{}, &object.NotExistError{Object: object.Name{Checksum: s, Kind: object.KindCommit}}
	}
	if i == 1 && !f.shallow {
		return object.Commit{}, nil
	}
	return object.Commit{Parent: sum(i - 1)}, nil
}

func log(marks ...any) (list []Mark) {
	for i := 0; i < len(marks); i += 2 {
		list = append(list, Mark{Is: marks[i].(Kind), Commit: sum(marks[i+1].(int)).String()})
	}
	return list
}

// TestLine searches random histories with random skips, and reads each commit
// of the line at most once, but for the last one.
func TestLine(t *testing.T) {
	r := rand.New(rand.NewPCG(7, 8))
	for range 300 {
		repo := &fake{length: 2 + r.IntN(200)}
		first, share := 2+r.IntN(repo.length-1), r.IntN(60)
		l := line{repo: repo}
		marks := log(Bad, repo.length, Good, 1)
		for {
			s, err := l.step(t.Context(), marks)
			if err != nil || s.Waiting {
				t.Fatalf("%+v %v", s, err)
			}
			if s.Found || s.Stuck {
				if s.Found && s.Bad != sum(first) || s.Stuck && !slices.Contains(s.Suspects, sum(first)) {
					t.Fatalf("first bad %d of %d: %+v", first, repo.length, s)
				}
				break
			}
			i := int(binary.BigEndian.Uint32(s.Test[:]))
			switch {
			case r.IntN(100) < share:
				marks = append(marks, log(Skipped, i)...)
			case i < first:
				marks = append(marks, log(Good, i)...)
			default:
				marks = append(marks, log(Bad, i)...)
			}
		}
		if repo.reads > repo.length {
			t.Fatalf("%d reads of %d commits", repo.reads, repo.length)
		}
	}
}

// TestStep: what marks mean together.
func TestStep(t *testing.T) {
	for _, c := range []struct {
		marks     []Mark
		bad, good int
		waiting   bool
		want      string // an error
	}{
		{nil, 0, 0, true, ""},
		{log(Bad, 9), 9, 0, true, ""},
		{log(Good, 3, Good, 4), 0, 3, true, ""},
		{log(Bad, 9, Good, 3), 9, 3, false, ""},
		{log(Good, 3, Bad, 9, Good, 5, Bad, 7, Good, 2), 7, 5, false, ""},
		{log(Bad, 9, Good, 3, Good, 6, Bad, 6), 6, 3, false, ""}, // the last word counts
		{log(Bad, 9, Good, 3, First, 4), 9, 3, false, ""},
		{log(Bad, 7, Good, 3, Bad, 9), 7, 3, false, ""}, // a newer one changes nothing
		{log(Bad, 9, Good, 5, Good, 2), 9, 5, false, ""},
		{log(Bad, 3, Good, 9), 0, 0, false, "no ancestor"},
		{log(Bad, 9, Good, 5, Bad, 4), 0, 0, false, "no ancestor"},
		{log(Bad, 99, Good, 5), 0, 0, false, "No such metadata object"},
		{[]Mark{{Is: Bad, Commit: "x"}}, 0, 0, false, "state of the bisect"},
	} {
		l := line{repo: &fake{length: 10}}
		s, err := l.step(t.Context(), c.marks)
		if c.want != "" {
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("%v: %v, want %s", c.marks, err, c.want)
			}
			continue
		}
		want := Step{Waiting: c.waiting}
		if err != nil || s.Waiting != want.Waiting || c.bad != 0 && s.Bad != sum(c.bad) || c.good != 0 && s.Good[0] != sum(c.good) {
			t.Errorf("%v: %+v, %v", c.marks, s, err)
		}
	}
	l := line{repo: &fake{length: 10, shallow: true}}
	if _, err := l.step(t.Context(), log(Bad, 9, Good, 100)); !errors.Is(err, history.ErrShallow) {
		t.Error(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := l.step(ctx, log(Bad, 8, Good, 100)); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
}

func TestJudge(t *testing.T) {
	for code, want := range map[int]Kind{0: Good, 1: Bad, 124: Bad, 125: Skipped, 126: Bad, 127: Bad, 128: "", 255: "", -1: ""} {
		if is, err := judge(code, "signal: killed", "x"); is != want || (err == nil) != (want != "") {
			t.Errorf("%d: %q %v", code, is, err)
		}
	}
}

func TestDir(t *testing.T) {
	repo, home := t.TempDir(), t.TempDir()
	t.Setenv("HOME", home)
	t.Setenv("XDG_STATE_HOME", "relative")
	first, err := Dir(repo)
	if err != nil || !strings.HasPrefix(first, home+"/.local/state/deployfs/bisect/") {
		t.Error(first, err)
	}
	link := filepath.Join(home, "link")
	if err := os.Symlink(repo, link); err != nil {
		t.Fatal(err)
	}
	if again, err := Dir(link); err != nil || again != first {
		t.Error(again, err)
	}
	t.Setenv("XDG_STATE_HOME", "/state")
	if dir, err := Dir(home); err != nil || filepath.Dir(dir) != "/state/deployfs/bisect" || filepath.Base(dir) == filepath.Base(first) {
		t.Error(dir, err)
	}
}

// TestState: what is written is read, whole or not at all.
func TestState(t *testing.T) {
	repo := t.TempDir()
	t.Setenv("XDG_STATE_HOME", t.TempDir())
	dir, err := Dir(repo)
	if err == nil {
		err = os.MkdirAll(dir, 0o700)
	}
	if err != nil {
		t.Fatal(err)
	}
	if _, err := Read(repo); !errors.As(err, new(*NoneError)) {
		t.Error(err)
	}
	want := State{Repo: repo, Mountpoint: "/m", Testing: sum(1).String(), Log: log(Bad, 3, Good, 1)}
	if err := want.write(dir); err != nil {
		t.Fatal(err)
	}
	got, err := Read(repo)
	if err != nil || got.Repo != want.Repo || got.Testing != want.Testing || !slices.Equal(got.Log, want.Log) {
		t.Errorf("%+v %v", got, err)
	}
	if left, _ := filepath.Glob(dir + "/state-*"); len(left) > 0 {
		t.Error(left)
	}
	for _, text := range []string{
		"", "null", `{"repo":`, `{"repo": "/r"}`, `{"repo": "r", "mountpoint": "/m"}`, `{"repo": "/r", "mountpoint": "/m", "testing": "x"}`,
		`{"repo": "/r", "mountpoint": "/m", "log": [{"is": "good", "commit": "x"}]}`, `{"repo": "/r", "mountpoint": "/m"} x`,
	} {
		if err := os.WriteFile(dir+"/state", []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		damaged := new(DamagedError)
		if s, err := Read(repo); !errors.As(err, &damaged) || damaged.File != dir+"/state" || damaged.Hint() == "" || s.Repo != "" {
			t.Errorf("%s: %+v, %v", text, s, err)
		}
	}
}

// TestLock: one at a time, also when the file was removed by who had it.
func TestLock(t *testing.T) {
	dir := t.TempDir()
	first, err := lock(dir)
	if err != nil {
		t.Fatal(err)
	}
	busy := new(BusyError)
	if _, err := lock(dir); !errors.As(err, &busy) || busy.Hint() == "" {
		t.Error(err)
	}
	if err := os.Remove(first.Name()); err != nil {
		t.Fatal(err)
	}
	second, err := lock(dir)
	if err != nil {
		t.Fatal(err)
	}
	first.Close()
	if _, err := lock(dir); !errors.As(err, &busy) {
		t.Error(err)
	}
	second.Close()
	third, err := lock(dir)
	if err != nil {
		t.Fatal(err)
	}
	third.Close()
}
