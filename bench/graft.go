package main

import (
	"context"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// Where grafts are in a tree.
const (
	programDir = "programs"
	libraryDir = "programs/lib"
	sourceDir  = "sources"
)

// graft is what a tree takes over from this machine: programs that run from it, sources to compile.
type graft struct {
	dirs  []string
	files []file
	// Paths in the tree; "" for what this machine has not.
	static, dynamic, loader, sources string
	sourceCount                      int
}

// newGraft picks the program under test as one big program, ostree with its libraries as one that is
// put together when it starts, and the Go sources in some directories of GOROOT/src.
func newGraft(ctx context.Context, program string, sources []string) (g graft, err error) {
	g.dirs = []string{programDir}
	if g.static, err = g.add(programDir, program); err != nil {
		return g, err
	}
	if err := g.addDynamic(ctx); err != nil {
		return g, err
	}
	return g, g.addSources(ctx, sources)
}

// add plans a copy of a file of this machine in dir, and says where.
func (g *graft) add(dir, source string) (path string, err error) {
	info, err := os.Stat(source)
	if err != nil {
		return "", err
	}
	path = filepath.Join(dir, filepath.Base(source))
	g.files = append(g.files, file{path: path, size: info.Size(), mode: info.Mode().Perm() | 0o444, source: source})
	return path, nil
}

// addDynamic plans copies of ostree, of the libraries that it needs, and of the loader.
func (g *graft) addDynamic(ctx context.Context) error {
	program, err := exec.LookPath("ostree")
	if err != nil {
		return err
	}
	out, err := run(ctx, "ldd", program)
	if err != nil {
		return nil // no glibc: the row says so
	}
	g.dirs = append(g.dirs, libraryDir)
	for line := range strings.Lines(string(out)) {
		line, _, _ = strings.Cut(line, " (")
		name, at, found := strings.Cut(strings.TrimSpace(line), " => ")
		if !found {
			at = name
		}
		if !filepath.IsAbs(at) {
			continue
		}
		path, err := g.add(libraryDir, at)
		if err != nil {
			return err
		}
		if !found {
			g.loader = path
		}
	}
	g.dynamic, err = g.add(programDir, program)
	return err
}

// addSources plans copies of the Go files in some directories of GOROOT/src, testdata left out: it
// has files that are no Go.
func (g *graft) addSources(ctx context.Context, dirs []string) error {
	out, err := run(ctx, "go", "env", "GOROOT")
	if err != nil {
		return nil // the row says so
	}
	root := filepath.Join(strings.TrimSpace(string(out)), "src")
	if _, err := os.Stat(root); err != nil {
		return nil
	}
	if _, err := exec.LookPath("gofmt"); err != nil {
		return nil
	}
	g.sources = sourceDir
	g.dirs = append(g.dirs, sourceDir)
	for _, dir := range dirs {
		g.addParents(dir)
		err := filepath.WalkDir(filepath.Join(root, dir), func(name string, d fs.DirEntry, err error) error {
			if err != nil {
				return err
			}
			to := filepath.Join(sourceDir, strings.TrimPrefix(name, root+"/"))
			switch {
			case d.IsDir() && d.Name() == "testdata":
				return fs.SkipDir
			case d.IsDir():
				g.dirs = append(g.dirs, to)
			case strings.HasSuffix(name, ".go"):
				g.sourceCount++
				_, err = g.add(filepath.Dir(to), name)
			}
			return err
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// addParents plans the directories above dir.
func (g *graft) addParents(dir string) {
	for i, c := range dir {
		if c == '/' {
			g.dirs = append(g.dirs, filepath.Join(sourceDir, dir[:i]))
		}
	}
}
