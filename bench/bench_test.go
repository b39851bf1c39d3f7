package main

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"testing"
)

// TestCostFigures makes a whole run on small trees, and looks whether every row works and nothing stays.
func TestCostFigures(t *testing.T) {
	if err := missing(); err != nil {
		t.Skip("cannot run: " + err.Error())
	}
	dir := t.TempDir()
	program := filepath.Join(dir, "bench")
	if out, err := exec.Command("go", "build", "-o", program, ".").CombinedOutput(); err != nil {
		t.Fatalf("go build: %v\n%s", err, out)
	}
	readme := filepath.Join(dir, "README.md")
	if err := os.WriteFile(readme, []byte("Hand\n"+beginMark+"\nold\n"+endMark+"\nwritten\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(dir, "result.json")
	// Dropping caches would disturb tests that run at the same time.
	out, err := exec.Command(program, "-quick", "-cold=false", "-dir", dir, "-json", file, "-readme", readme).CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	checkResult(t, file)
	if text, err := os.ReadFile(readme); err != nil || len(text) < 1000 {
		t.Errorf("%v\n%s", err, text)
	}
	svg, err := os.ReadFile(filepath.Join(dir, plotFile))
	if err != nil {
		t.Fatal(err)
	}
	wellFormed(t, string(svg))
	if left, _ := filepath.Glob(filepath.Join(dir, "deployfs-bench-*")); len(left) > 0 {
		t.Errorf("left behind: %v", left)
	}
}

// checkResult looks whether every peer that is not absent has answered, and what asks nothing of a server.
func checkResult(t *testing.T, file string) {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var result struct {
		Rows   []row   `json:"rows"`
		Claims []claim `json:"claims"`
	}
	if err := json.Unmarshal(text, &result); err != nil {
		t.Fatal(err)
	}
	var ids []string
	for _, r := range result.Rows {
		ids = append(ids, r.ID)
		for _, c := range r.Cells {
			if c.Absent == "" && (len(c.Values) == 0 || c.Values[0] <= 0) {
				t.Errorf("%s: %s %s: %+v", r.Title, c.Peer, c.Variant, c)
			}
		}
		if r.ID == "small warm" && r.cell(subject, "default").Requests.median() != 0 {
			t.Errorf("%s: %+v", r.Title, r.Cells)
		}
	}
	for _, id := range []string{
		"usable", "index", "walk warm", "ls warm", "stat warm", "small warm", "small warm 2", "small warm 8", "tar warm", "exec", "dynamic",
		"compiler", "large warm", "random warm", "mmap warm", "random warm 2", "random warm 8", "memory new mount", "memory after a walk",
		"delta generate", "delta generate bytes", "delta apply", "pull near bare-user", "pull far bare-user", "lazy near", "lazy near bytes", "lazy far",
	} {
		if !slices.Contains(ids, id) {
			t.Errorf("no row %q among %q", id, ids)
		}
	}
	if len(result.Claims) == 0 {
		t.Error("no claims")
	}
}
