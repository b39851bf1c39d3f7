package tests

import (
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "write the golden histories of file operations anew")

// TestDeedHistory compares what each writing command does to files, and in which order, with what
// was reviewed, and holds it to the rules of what must be durable before what.
func TestDeedHistory(t *testing.T) {
	for _, c := range deedCases {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			dir, args := deedRoot(t, c)
			run := deedCommand(t, dir, args)
			if c.broken && c.once {
				run.args = append([]string{"sh", "-c", `"$@" || test $? = 1`, "sh"}, run.args...)
			}
			deeds := traced(t, run, dir)
			for _, fault := range faults(deeds, c.loose) {
				t.Error(fault)
			}
			golden(t, c.name, "deployfs "+c.args+"\n"+deedHistory(deeds, c.side))
		})
	}
}

func golden(t *testing.T, name, got string) {
	t.Helper()
	path := filepath.Join("testdata/history", name+".txt")
	if *update {
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if got != string(want) {
		t.Errorf("%s is no longer what happens (go test ./tests -run TestDeedHistory -update writes it anew):\n%s", path, lineDiff(t, string(want), got))
	}
}

// lineDiff shows where two texts differ.
func lineDiff(t *testing.T, want, got string) string {
	dir := scratch(t)
	for name, text := range map[string]string{"want": want, "got": got} {
		if err := os.WriteFile(dir+"/"+name, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	o := command{args: []string{"diff", "-u", dir + "/want", dir + "/got"}}.run(t)
	return strings.Join(strings.SplitAfter(o.out, "\n")[2:], "")
}
