package history

import (
	"bytes"
	"encoding/json"
	iofs "io/fs"
	"time"

	"deployfs/fs"
	"deployfs/objstore/facts"
	"deployfs/objstore/object"
)

// maxMetadata is from how many bytes on metadata is cut: a file is made whole each
// time that it is looked up.
const maxMetadata = 256 << 10

// commitFacts is a commit whose facts are told.
type commitFacts struct {
	*View
	sum object.Checksum
	object.Commit
}

// factNames are the facts that there can be of a commit, in the order in which
// they are listed. One that fails with fs.ErrNotExist is not there.
var factNames = []struct {
	name string
	kind fs.NameKind
	read func(*commitFacts) (string, error)
}{
	{"commit.json", fs.NameFile, (*commitFacts).all},
	{"date", fs.NameFile, (*commitFacts).date},
	{"detached.json", fs.NameFile, (*commitFacts).detached},
	{"message", fs.NameFile, (*commitFacts).message},
	{"metadata.json", fs.NameFile, func(c *commitFacts) (string, error) { return marshal(facts.Cut(c.Metadata, maxMetadata)) }},
	{"parent", fs.NameLink, (*commitFacts).parent},
	{"signatures.json", fs.NameFile, (*commitFacts).signatures},
	{"tree", fs.NameLink, func(c *commitFacts) (string, error) { return "../../" + c.sum.String(), nil }},
	{"version", fs.NameFile, (*commitFacts).version},
}

// facts lists what is told of a commit.
func (v *View) facts(sum object.Checksum) ([]fs.Name, error) {
	var list []fs.Name
	for _, f := range factNames {
		name, err := v.fact(sum, f.name)
		if absent(err) {
			continue
		}
		if err != nil {
			return nil, err
		}
		list = append(list, name)
	}
	return list, nil
}

// fact tells one thing of a commit.
func (v *View) fact(sum object.Checksum, name string) (fs.Name, error) {
	for _, f := range factNames {
		if f.name != name {
			continue
		}
		commit, err := v.repo.Commit(sum)
		if err != nil {
			return fs.Name{}, err
		}
		value, err := f.read(&commitFacts{v, sum, commit})
		return fs.Name{Name: name, Kind: f.kind, Value: value}, err
	}
	return fs.Name{}, iofs.ErrNotExist
}

func (c *commitFacts) all() (string, error) {
	all, err := facts.Brief(c.repo, c.sum, c.Commit, maxMetadata)
	if err != nil {
		return "", err
	}
	return marshal(all)
}

func (c *commitFacts) date() (string, error) {
	at, ok := facts.Time(c.Commit)
	if !ok {
		return "", iofs.ErrNotExist
	}
	return at.Format(time.RFC3339) + "\n", nil
}

// message is subject and body as a message of git is written.
func (c *commitFacts) message() (string, error) {
	text := c.Subject + "\n"
	if c.Body != "" {
		text += "\n" + c.Body + "\n"
	}
	return text, nil
}

func (c *commitFacts) version() (string, error) {
	version, ok := facts.Version(c.Commit)
	if !ok {
		return "", iofs.ErrNotExist
	}
	return version + "\n", nil
}

// parent leads to the parent's facts.
func (c *commitFacts) parent() (string, error) {
	if c.Parent.IsZero() {
		return "", iofs.ErrNotExist
	}
	return "../" + c.Parent.String(), holds(c.repo, c.Parent)
}

func (c *commitFacts) detached() (string, error) {
	dict, ok, err := c.repo.CommitMeta(c.sum)
	if err == nil && !ok {
		err = iofs.ErrNotExist
	}
	if err != nil {
		return "", err
	}
	return marshal(facts.Cut(dict, maxMetadata))
}

func marshal(value any) (string, error) {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	err := e.Encode(value)
	return b.String(), err
}
