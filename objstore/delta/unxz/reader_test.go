package unxz

import (
	"bytes"
	"encoding/base64"
	"errors"
	"io"
	"strings"
	"testing"
)

// Files that the program xz made of hello: with each kind of checksum, and other ones.
var made = map[string]struct{ file, content string }{
	"empty":  {"/Td6WFoAAATm1rRGAAAAABzfRCEftvN9AQAAAAAEWVo=", ""},
	"none":   {"/Td6WFoAAAD/EtlBAgAhARYAAAB0L+Wj4AAXAAxdADQZSe6N6VYKwSGwAAAAASAY3wlupgZynnoBAAAAAABZWg==", hello},
	"crc32":  {"/Td6WFoAAAFpIt42AgAhARYAAAB0L+Wj4AAXAAxdADQZSe6N6VYKwSGwAAAAiFkLAAEkGNvMAsKQQpkNAQAAAAABWVo=", hello},
	"crc64":  {crc64File, hello},
	"sha256": {"/Td6WFoAAArh+wyhAgAhARYAAAB0L+Wj4AAXAAxdADQZSe6N6VYKwSGwAABm2vy93xJlpTbHzU3EWLUN48EJztwIls23cEFhbJigAwABQBh4YpPDGJtLmgEAAAAAClla", hello},
	"three blocks": {"/Td6WFoAAATm1rRGAgAhARoAAADMkDPp4Jw/AEVdAABv/f//o7f/Rz5IFXI5YVG4kijmo4YH+e7kHoLTL8U6PAFLsX7JiopNL6MN2X+m44wjEVPgWRjFdYrid/i2lHpjHU4AAAAAAABoQLhi/B22yQIAIQEaAAAAzJAz6eCcPwBFXQAAb/3//6O3/0c+SBVyOWFRuJIo5qOGB/nu5B6C0y/FOjwBS7F+yYqKTS+jDdl/puOMIxFT4FkYxXWK4nf4tpR6Yx1OAAAAAAAAaEC4YvwdtskCACEBGgAAAMyQM+ngTh8AOl0AAG/9//+jt/9HPkgVcjlhUbiSKOajhgf57uQegtMvxTo8AUuxfsmKik0vow3Zf6bjjCMRU9x9ALIAAAAAAMt7AV4XiCYXAANhwLgCYcC4AlagnAEAAH6dt5OsJz4tBAAAAAAEWVo=",
		strings.Repeat("\x00", 100000)},
}

const (
	hello     = "hello hello hello hello\n"
	crc64File = "/Td6WFoAAATm1rRGAgAhARYAAAB0L+Wj4AAXAAxdADQZSe6N6VYKwSGwAABsFO0bO2i7kQABKBjXg7duH7bzfQEAAAAABFla"
	filtered  = "/Td6WFoAAATm1rRGAgEEACEBFgANhjUfAQAAeAAAAABFru+D+O4WCgABGQGlLIHMH7bzfQEAAAAABFla" // x86, too
	greedy    = "/Td6WFoAAATm1rRGAgAhASQAAABeH8f5AQAAeAAAAABFru+D+O4WCgABGQGlLIHMH7bzfQEAAAAABFla" // 1 GiB of memory
)

func bytesOf(t testing.TB, file string) []byte {
	t.Helper()
	data, err := base64.StdEncoding.DecodeString(file)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

func unpack(data []byte) ([]byte, error) {
	r, err := NewReader(data)
	if err != nil {
		return nil, err
	}
	return io.ReadAll(r)
}

func TestReader(t *testing.T) {
	for name, c := range made {
		got, err := unpack(bytesOf(t, c.file))
		if err != nil || string(got) != c.content {
			t.Errorf("%s: %d bytes, %v", name, len(got), err)
		}
	}
}

// TestDamage changes each byte of a file, and cuts it there: no wrong content comes out.
// A chunk says its own packed size, which nothing needs.
func TestDamage(t *testing.T) {
	whole := bytesOf(t, crc64File)
	for i := range whole {
		damaged := bytes.Clone(whole)
		damaged[i] ^= 0x10
		if got, err := unpack(damaged); !errors.Is(err, ErrCorrupt) && string(got) != hello {
			t.Errorf("byte %d changed: %q, %v", i, got, err)
		}
		if _, err := unpack(whole[:i]); !errors.Is(err, ErrCorrupt) {
			t.Errorf("cut behind %d bytes: %v", i, err)
		}
	}
	if _, err := unpack(append(whole, 0)); !errors.Is(err, ErrCorrupt) {
		t.Errorf("a byte more: %v", err)
	}
}

func TestRefused(t *testing.T) {
	for file, want := range map[string]string{filtered: "filters other than LZMA2", greedy: "1024 MiB of memory are asked for"} {
		if _, err := unpack(bytesOf(t, file)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want %s", err, want)
		}
	}
}

func FuzzReader(f *testing.F) {
	for _, c := range made {
		f.Add(bytesOf(f, c.file))
	}
	f.Add(bytesOf(f, filtered))
	f.Fuzz(func(t *testing.T, data []byte) {
		r, err := NewReader(data)
		if err == nil {
			_, err = io.Copy(io.Discard, io.LimitReader(r, 1<<20))
		}
		_ = err
	})
}
