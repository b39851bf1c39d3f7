package mutate

import (
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// replace writes data to path, or puts something there that is no file of data.
func (r *Repo) replace(random *rand.Rand, path string, data []byte) {
	if random.IntN(20) > 0 {
		r.put(path, data)
		return
	}
	r.clear(path)
	r.check(strange[random.IntN(len(strange))](r, path))
}

// strange puts something else than a file at a path where there is nothing.
var strange = []func(r *Repo, path string) error{
	func(*Repo, string) error { return nil },
	func(_ *Repo, path string) error { return os.Mkdir(path, 0o755) },
	func(_ *Repo, path string) error { return mkfifo(path) },
	func(_ *Repo, path string) error { return os.Symlink(filepath.Base(path), path) },
	func(_ *Repo, path string) error { return os.Symlink("nowhere", path) },
	func(r *Repo, path string) error { return os.Symlink(filepath.Join(r.Canary.Dir, "secret"), path) },
	func(r *Repo, path string) error { return os.Symlink(r.Canary.Dir, path) },
	func(_ *Repo, path string) error {
		if err := os.WriteFile(path, nil, 0o644); err != nil {
			return err
		}
		size := int64(128<<20 + 1)
		if strings.HasSuffix(path, ".file") {
			size = 4 << 20
		}
		return os.Truncate(path, size)
	},
}

// changeRef changes what a ref says, what it is, or what lies beside it.
func (r *Repo) changeRef(random *rand.Rand) string {
	all := []string{"heads/main", "heads/a/b", "heads/z/alias", "remotes/origin/far", "mirrors/org.example.X/mirrored"}
	name := all[random.IntN(len(all))]
	path := filepath.Join(r.Path, "refs", name)
	good := []byte(r.commit + "\n")
	switch random.IntN(10) {
	case 0:
		r.strangeRefs(random)
		return "a directory of refs"
	case 1:
		odd := []string{".hidden", "-x", "a b", "nl\n", "\x1b[31m", "\xff", "beef", r.commit, r.commit[:7], strings.Repeat("n", 255), "x^", "%s"}
		name = odd[random.IntN(len(odd))]
		path = filepath.Join(r.Path, "refs/heads", name)
	case 2:
		texts := []string{
			r.parent, r.parent + "\n", r.parent + "\n\n", " " + r.parent, strings.ToUpper(r.commit), r.commit[:63] + "\n", r.commit + r.commit,
			strings.Repeat("0", 64), "ref: refs/heads/main\n", "\x1b]0;title\x07", strings.Repeat(" ", 5000), strings.Repeat("a", 100000),
		}
		good = []byte(texts[random.IntN(len(texts))])
	default:
		good = Bytes(random, good)
	}
	r.replace(random, path, good)
	return fmt.Sprintf("ref %q", name)
}

// strangeRefs changes the directories that refs are in.
func (r *Repo) strangeRefs(random *rand.Rand) {
	dirs := []string{"refs", "refs/heads", "refs/remotes", "refs/remotes/origin", "refs/mirrors", "refs/heads/a"}
	path := filepath.Join(r.Path, dirs[random.IntN(len(dirs))])
	switch random.IntN(4) {
	case 0: // one that is not there, deeper than anybody wants
		path = filepath.Join(r.Path, "refs/heads/deep")
		r.clear(path)
		r.check(os.MkdirAll(path+strings.Repeat("/d", 100+random.IntN(100)), 0o755))
	case 1:
		r.clear(path)
		r.check(os.Symlink(r.Canary.Dir, path))
	case 2:
		r.clear(filepath.Join(r.Path, "refs/heads/loop"))
		r.check(os.Symlink(".", filepath.Join(r.Path, "refs/heads/loop")))
	default:
		r.clear(path)
		r.check(strange[random.IntN(len(strange))](r, path))
	}
}

// changeConfig changes the configuration: its text, or what it says.
func (r *Repo) changeConfig(random *rand.Rand) string {
	path := filepath.Join(r.Path, "config")
	text := string(r.read(path))
	lines := []string{
		"mode=bare", "mode=bare-user", "mode=bare-user-only", "mode=bare-split-xattrs", "mode=archive-z2", "mode=archive", "mode=", "mode=\x1b[31m",
		"repo_version=2", "repo_version=", "repo_version=1 ", "parent=.", "parent=..", "parent=" + r.Path, "parent=" + r.Canary.Dir, "parent=/proc/self/fd",
		"parent=\x00", "parent=" + strings.Repeat("p/", 3000), "locking=maybe", "lock-timeout-secs=-1", "lock-timeout-secs=99999999999999999999",
		"disable-xattrs=true", "disable-xattrs=2", "collection-id=org.example.X", "[core]", "[", "]", "=", "[remote \"a\"]\nurl=file:///", "k=\\", "\x00", "#",
		strings.Repeat("x", 100000), strings.Repeat("[g]\nk=v\n", 20000), "k=" + strings.Repeat("\\", 100000),
	}
	list := strings.Split(text, "\n")
	switch random.IntN(3) {
	case 0:
		r.replace(random, path, Bytes(random, []byte(text)))
		return "config, its bytes"
	case 1:
		list = slices.Insert(list, random.IntN(len(list)), lines[random.IntN(len(lines))])
	default:
		list = slices.Insert(list, 1+random.IntN(len(list)-1), lines[random.IntN(len(lines))], lines[random.IntN(len(lines))])
	}
	r.replace(random, path, []byte(strings.Join(list, "\n")))
	return "config, a line of it"
}

// changePartial marks the commit as incomplete, or puts something where the mark is to be.
func (r *Repo) changePartial(random *rand.Rand) string {
	path := filepath.Join(r.Path, "state", r.commit+".commitpartial")
	if random.IntN(10) == 0 {
		path = filepath.Join(r.Path, "state")
		r.clear(path)
		r.check(strange[random.IntN(len(strange))](r, path))
		return "state"
	}
	r.replace(random, path, Bytes(random, []byte("f")))
	if random.IntN(2) == 0 { // and something is absent, as it may be then
		r.clear(r.object(r.files[random.IntN(len(r.files))].sum, "file"))
	}
	return "commitpartial"
}
