package fetch

import (
	"bytes"
	"errors"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"
)

// TestBegin: of a large file no more comes than is asked for, whatever the server makes of the request.
func TestBegin(t *testing.T) {
	file := bytes.Repeat([]byte("0123456789abcdef"), 1<<16)
	ranges := func(w http.ResponseWriter, r *http.Request, data []byte) {
		http.ServeContent(w, r, "x", time.Time{}, bytes.NewReader(data))
	}
	small := file[:20000]
	for name, c := range map[string]struct {
		answer func(w http.ResponseWriter, r *http.Request)
		want   []byte // nil is an error
		size   int64
	}{
		"ranges": {func(w http.ResponseWriter, r *http.Request) { ranges(w, r, file) }, file[:4096], int64(len(file))},
		"no ranges": {func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Length", "1048576")
			w.Write(file)
		}, file[:4096], int64(len(file))},
		"no size": {func(w http.ResponseWriter, r *http.Request) { w.(http.Flusher).Flush(); w.Write(file) }, file[:4096], -1},
		"small, no ranges": {func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Length", "20000")
			w.Write(small)
		}, small, 20000},
		"smaller than that": {func(w http.ResponseWriter, r *http.Request) { ranges(w, r, file[:100]) }, file[:100], 100},
		"another part": {func(w http.ResponseWriter, r *http.Request) {
			r.Header.Set("Range", "bytes=5-4100")
			ranges(w, r, file)
		}, nil, 0},
		"none": {http.NotFound, nil, 0},
	} {
		server := httptest.NewServer(http.HandlerFunc(c.answer))
		client, err := New(Config{URLs: []string{server.URL}})
		if err != nil {
			t.Fatal(err)
		}
		data, size, err := client.Begin(t.Context(), File{Path: "x", Content: true}, 4096)
		if (err != nil) != (c.want == nil) || !bytes.Equal(data, c.want) || err == nil && size != c.size {
			t.Errorf("%s: %d bytes of %d, %v", name, len(data), size, err)
		}
		if name == "none" && !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("%s: %v", name, err)
		}
		if moved := client.Transferred(); moved > int64(len(c.want))+64<<10 {
			t.Errorf("%s: %d bytes came", name, moved)
		}
		client.Close()
		server.Close()
	}
}

func FuzzBeginning(f *testing.F) {
	for _, text := range []string{"bytes 0-4095/10000", "bytes 0-0/*", "bytes 1-2/3", "bytes 0-9/5", "0-", "bytes 0--1/3"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		part, total, err := beginning(&http.Response{Header: http.Header{"Content-Range": {strings.ToValidUTF8(text, "")}}})
		if err == nil && (part <= 0 || total >= 0 && total < part) {
			t.Errorf("%q: %d of %d", text, part, total)
		}
	})
}
