package main

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	_ "embed"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"deployfs/mount/daemon"
	"deployfs/objstore"
	"deployfs/objstore/object"
	"deployfs/objstore/tree"
)

// demoRepo is a repository in archive mode, demoSums what its newest commit's
// files hold. demo/make.sh makes both with ostree.
//
//go:embed demo/repo.tar.gz
var demoRepo []byte

//go:embed demo/SHA256SUMS
var demoSums string

const demoRef = "demo/os/x86_64"

func (d *demo) unpack() (string, error) {
	packed, err := gzip.NewReader(bytes.NewReader(demoRepo))
	if err != nil {
		return "", err
	}
	objects := 0
	for archive := tar.NewReader(packed); ; {
		h, err := archive.Next()
		if err == io.EOF {
			break
		}
		if err != nil {
			return "", err
		}
		path := filepath.Join(d.repoPath(), filepath.Clean("/"+h.Name))
		if h.Typeflag == tar.TypeDir {
			err = os.MkdirAll(path, 0o755)
		} else {
			err = unpackFile(path, archive)
			objects++
		}
		if err != nil {
			return "", err
		}
	}
	if err := os.Mkdir(d.mountpoint(), 0o755); err != nil {
		return "", err
	}
	d.repo, err = objstore.Open(d.repoPath())
	return fmt.Sprintf("a repository in archive mode, %d files, to %s", objects, d.repoPath()), err
}

func unpackFile(path string, content io.Reader) error {
	f, err := os.Create(path)
	if err != nil {
		return err
	}
	_, err = io.Copy(f, content)
	return errors.Join(err, f.Close())
}

func (d *demo) log() (string, error) {
	var lines []string
	sum, err := d.repo.Resolve(demoRef)
	for err == nil && !sum.IsZero() {
		var c object.Commit
		if c, err = d.repo.Commit(sum); err == nil {
			date := time.Unix(int64(c.Timestamp), 0).UTC().Format(time.DateOnly)
			lines = append(lines, fmt.Sprintf("%s  %s  %s", short(sum.String()), date, c.Subject))
			sum = c.Parent
		}
	}
	return strings.Join(lines, "\n"), err
}

func (d *demo) mount() (string, error) {
	err := daemon.Start(d.ctx, daemon.Default(d.repoPath(), demoRef, d.mountpoint()))
	d.mounted = err == nil
	return fmt.Sprintf("%s at %s", demoRef, d.mountpoint()), err
}

func (d *demo) list() (string, error) {
	counts := map[string]int{}
	err := filepath.WalkDir(d.mountpoint(), func(_ string, e fs.DirEntry, err error) error {
		if err != nil && !errors.Is(err, fs.ErrPermission) {
			return err
		}
		switch {
		case e.IsDir():
			counts["directories"]++
		case e.Type()&fs.ModeSymlink != 0:
			counts["links"]++
		default:
			counts["files"]++
		}
		return nil
	})
	return fmt.Sprintf("%d directories, %d files, %d symbolic links", counts["directories"], counts["files"], counts["links"]), err
}

// read compares every file that this user may read with its known checksum.
func (d *demo) read() (string, error) {
	good, closed := 0, 0
	for line := range strings.Lines(demoSums) {
		want, path, _ := strings.Cut(strings.TrimSuffix(line, "\n"), " ")
		data, err := os.ReadFile(filepath.Join(d.mountpoint(), strings.TrimSpace(path)))
		if errors.Is(err, fs.ErrPermission) {
			closed++
			continue
		}
		if err != nil {
			return "", err
		}
		if sum := sha256.Sum256(data); hex.EncodeToString(sum[:]) != want {
			return "", fmt.Errorf("%s: read %x, want %s", path, sum, want)
		}
		good++
	}
	text := fmt.Sprintf("%d files hold what they should", good)
	if closed > 0 {
		text += fmt.Sprintf("; %d are root's alone", closed)
	}
	return text, nil
}

func (d *demo) attributes() (string, error) {
	su, err := os.Stat(filepath.Join(d.mountpoint(), "usr/bin/su"))
	if err != nil {
		return "", err
	}
	link, err := os.Readlink(filepath.Join(d.mountpoint(), "bin"))
	return fmt.Sprintf("/usr/bin/su is %s of %s, /bin leads to %s", su.Mode(), su.ModTime().UTC().Format(time.DateOnly), link), err
}

func (d *demo) write() (string, error) {
	err := os.WriteFile(filepath.Join(d.mountpoint(), "new"), nil, 0o644)
	if !errors.Is(err, unix.EROFS) {
		return "", fmt.Errorf("writing to the mount: %v, want a read-only file system", err)
	}
	return "refused: read-only file system", nil
}

// changes compares the newest commit with the one before.
func (d *demo) changes() (string, error) {
	before, err := d.entries(demoRef + "^")
	if err != nil {
		return "", err
	}
	after, err := d.entries(demoRef)
	if err != nil {
		return "", err
	}
	var lines []string
	for path, content := range after {
		if old, ok := before[path]; !ok {
			lines = append(lines, "A  "+path)
		} else if old != content {
			lines = append(lines, "M  "+path)
		}
	}
	for path := range before {
		if _, ok := after[path]; !ok {
			lines = append(lines, "D  "+path)
		}
	}
	slices.SortFunc(lines, func(a, b string) int { return strings.Compare(a[3:], b[3:]) })
	return strings.Join(lines, "\n"), nil
}

// entries maps every file of a commit to its content object.
func (d *demo) entries(rev string) (map[string]object.Checksum, error) {
	root, err := resolveTree(d.repo, rev)
	if err != nil {
		return nil, err
	}
	files := map[string]object.Checksum{}
	err = tree.Walk(d.repo, root, func(e tree.Entry) error {
		if !e.IsDir() {
			files[e.Path] = e.Content
		}
		return nil
	})
	return files, err
}

func (d *demo) unmount() (string, error) {
	err := daemon.Unmount(d.mountpoint(), false)
	d.mounted = d.mounted && err != nil
	return "nothing is left behind", err
}
