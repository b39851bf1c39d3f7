package mutate

import (
	"bytes"
	"crypto/sha256"
	"fmt"
	"math/rand/v2"
	"path/filepath"
)

// Kinds are the kinds of what is changed. "index" is the tree index that the
// programs under test keep, and changes nothing where there is none.
var Kinds = []string{"commit", "dirtree", "dirmeta", "content", "commitmeta", "ref", "summary", "config", "commitpartial", "index"}

// Change makes change number n of a kind, and says what it did. The same seed
// and number make the same change.
func (r *Repo) Change(kind string, seed, n uint64) string {
	r.t.Helper()
	random := rand.New(rand.NewPCG(seed, n))
	switch kind {
	case "commit":
		return r.changeCommit(random)
	case "dirtree":
		return r.changeDirtree(random)
	case "dirmeta":
		return r.changeDirmeta(random)
	case "content":
		return r.changeContent(random)
	case "commitmeta":
		path := r.object(r.commit, kind)
		r.replace(random, path, Bytes(random, r.read(path)))
		return path
	case "ref":
		return r.changeRef(random)
	case "summary":
		path := filepath.Join(r.Path, kind)
		r.replace(random, path, Bytes(random, r.read(path)))
		return path
	case "config":
		return r.changeConfig(random)
	case "commitpartial":
		return r.changePartial(random)
	case "index":
		return r.changeIndex(random)
	}
	r.t.Fatalf("no kind %q", kind)
	return ""
}

// write writes a changed metadata object, under its old name or, with all that
// led to it, under its new one.
func (r *Repo) write(random *rand.Rand, sum, kind string, data []byte) string {
	if random.IntN(2) == 0 {
		r.replace(random, r.object(sum, kind), data)
		return sum + "." + kind
	}
	renamed := sumOf(data)
	r.put(r.object(renamed, kind), data)
	r.relink(sum, renamed)
	return fmt.Sprintf("%s.%s became %s", sum, kind, renamed)
}

// relink makes all that led to an object lead to another.
func (r *Repo) relink(from, to string) {
	renamed := [][2][]byte{{unhex(from), unhex(to)}}
	for _, t := range r.trees {
		if data := r.point(t.data, renamed); t.sum != from && data != nil {
			r.put(r.object(sumOf(data), "dirtree"), data)
			renamed = append(renamed, [2][]byte{unhex(t.sum), unhex(sumOf(data))})
		}
	}
	head := to
	if from != r.commit {
		data := r.point(r.read(r.object(r.commit, "commit")), renamed)
		if data == nil { // nothing was changed, after all
			return
		}
		head = sumOf(data)
		r.put(r.object(head, "commit"), data)
	}
	r.put(filepath.Join(r.Path, "refs/heads/main"), []byte(head+"\n"))
}

// point is data that leads to the new names, or nil when it led to none of the old ones.
func (r *Repo) point(data []byte, renamed [][2][]byte) []byte {
	changed := data
	for _, names := range renamed {
		changed = bytes.ReplaceAll(changed, names[0], names[1])
	}
	if bytes.Equal(changed, data) {
		return nil
	}
	return changed
}

func (r *Repo) changeCommit(random *rand.Rand) string {
	data := bytes.Clone(r.read(r.object(r.commit, "commit")))
	parent, root := unhex(r.parent), unhex(r.trees[len(r.trees)-1].sum)
	some := [][]byte{make([]byte, 32), unhex(r.commit), unhex(r.files[0].sum), unhex(r.trees[0].sum), unhex(r.metas[0]), parent, root}
	switch random.IntN(4) {
	case 0: // one that leads elsewhere
		data = bytes.ReplaceAll(data, some[3+random.IntN(4)], some[random.IntN(len(some))])
	case 1: // keys that are none, or of another type
		data = bytes.Replace(data, []byte("version\x00"), [][]byte{[]byte("\x00\x00\x00\x00\x00\x00\x00\x00"), []byte("ver\xffion\x00"), []byte("ver\nion\x00")}[random.IntN(3)], 1)
	default:
		data = Bytes(random, data)
	}
	return r.write(random, r.commit, "commit", data)
}

func (r *Repo) changeDirtree(random *rand.Rand) string {
	t := r.trees[random.IntN(len(r.trees))]
	change := Bytes
	if random.IntN(2) == 0 {
		change = changeTree
	}
	return r.write(random, t.sum, "dirtree", change(random, t.data))
}

func (r *Repo) changeDirmeta(random *rand.Rand) string {
	sum := r.metas[random.IntN(len(r.metas))]
	data := r.read(r.object(sum, "dirmeta"))
	if random.IntN(2) == 0 {
		return r.write(random, sum, "dirmeta", Bytes(random, data))
	}
	c := content{mode: 0o40755}
	for more := true; more; more = random.IntN(4) == 0 {
		contentChanges[random.IntN(len(contentChanges))](random, &c)
	}
	return r.write(random, sum, "dirmeta", c.meta())
}

// The parts of an index that matter here: its checksum is that of all that follows it.
const (
	indexSum  = 24
	indexBody = indexSum + sha256.Size
)

// changeIndex changes a tree index, and most often makes its checksum right again.
func (r *Repo) changeIndex(random *rand.Rand) string {
	paths, err := filepath.Glob(filepath.Join(r.Path, "deployfs/index/*.index"))
	r.check(err)
	if len(paths) == 0 {
		return "no index"
	}
	path := paths[random.IntN(len(paths))]
	data := Bytes(random, r.read(path))
	if len(data) > indexBody && random.IntN(5) > 0 {
		sum := sha256.Sum256(data[indexBody:])
		copy(data[indexSum:], sum[:])
	}
	r.replace(random, path, data)
	return path
}
