package object

import (
	"errors"
	"io/fs"
	"strings"
	"testing"
)

func TestParseChecksum(t *testing.T) {
	sum := must(t, helloSum)
	if sum.String() != helloSum || sum.IsZero() || !IsChecksum(helloSum) {
		t.Errorf("%s is read as %s", helloSum, sum)
	}
	for _, bad := range []string{
		"", "44f7", strings.ToUpper(helloSum), helloSum + "0", helloSum[1:], helloSum[:63] + "g", helloSum[:63] + "\n",
		" " + helloSum[1:], strings.Repeat("x", 100000),
	} {
		_, err := ParseChecksum(bad)
		if err == nil || IsChecksum(bad) {
			t.Errorf("%.70q: accepted", bad)
		} else if len(err.Error()) > 200 {
			t.Errorf("%.70q: an error of %d bytes", bad, len(err.Error()))
		}
	}
}

func TestNames(t *testing.T) {
	sum := must(t, helloSum)
	for kind, want := range map[Kind]string{
		KindFile: "file", KindDirTree: "dirtree", KindDirMeta: "dirmeta", KindCommit: "commit",
		KindTombstone: "tombstone-commit", KindCommitMeta: "commitmeta", KindPayloadLink: "payload-link",
		KindFileXattrs: "file-xattrs", KindFileXattrsLink: "file-xattrs-link", 0: "kind(0)", 77: "kind(77)",
	} {
		if got := (Name{sum, kind}).String(); got != helloSum+"."+want {
			t.Errorf("kind %d: %s", uint8(kind), got)
		}
	}
	if KindFile != 1 || KindFileXattrsLink != 9 {
		t.Error("kinds are not numbered as in the format")
	}
}

func TestErrors(t *testing.T) {
	name := Name{must(t, helloSum), KindCommit}
	cause := errors.New("cause")
	for _, c := range []struct {
		err  error
		want string
	}{
		{&NotExistError{name}, "No such metadata object " + helloSum + ".commit"},
		{&NotExistError{Name{name.Checksum, KindFile}}, "Couldn't find file object '" + helloSum + "'"},
		{Corrupt(name, cause), "corrupted object " + helloSum + ".commit: cause"},
		{Mismatch(name, must(t, linkSum)),
			"corrupted commit object; checksum expected='" + helloSum + "' actual='" + linkSum + "'"},
	} {
		if got := c.err.Error(); got != c.want {
			t.Errorf("got %s, want %s", got, c.want)
		}
	}
	if !errors.Is(&NotExistError{name}, fs.ErrNotExist) || errors.Is(Corrupt(name, cause), fs.ErrNotExist) {
		t.Error("only an absent object does not exist")
	}
	if !errors.Is(Corrupt(name, cause), cause) {
		t.Error("the cause is lost")
	}
	var mismatch *CorruptError
	if !errors.As(Mismatch(name, must(t, linkSum)), &mismatch) || mismatch.Expected != name.Checksum ||
		mismatch.Found.String() != linkSum || mismatch.Object != name {
		t.Errorf("mismatch holds %+v", mismatch)
	}
}

func TestCheckName(t *testing.T) {
	for name, good := range map[string]bool{
		"a": true, "...": true, ".a": true, " ": true, "\n": true, "\xff": true, strings.Repeat("n", 255): true,
		"": false, ".": false, "..": false, "/": false, "a/b": false, "a\x00": false, "\x00": false, strings.Repeat("n", 256): false,
	} {
		if err := CheckName([]byte(name)); (err == nil) != good {
			t.Errorf("%.20q: %v", name, err)
		}
	}
}
