package daemon

import (
	"encoding/json"
	"net"
	"path/filepath"
	"testing"
)

// FuzzAsk: whatever a server answers, it is a status or an error, and a status
// can be told on.
func FuzzAsk(f *testing.F) {
	good, err := json.Marshal(full)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(good)
	f.Add([]byte(`{"pid": 1e400}`))
	f.Add([]byte(`{"since": "0000-00-00T00:00:00Z", "index": {"bytes": -1}}`))
	path := filepath.Join(f.TempDir(), "1.sock")
	listener, err := net.Listen("unix", path)
	if err != nil {
		f.Fatal(err)
	}
	defer listener.Close()
	f.Fuzz(func(t *testing.T, answer []byte) {
		go func() {
			conn, err := listener.Accept()
			if err == nil {
				conn.Write(answer)
				conn.Close()
			}
		}()
		s, err := ask(path)
		if err != nil {
			return
		}
		if _, err := json.Marshal(s); err != nil {
			t.Fatalf("%q became %+v: %v", answer, s, err)
		}
	})
}
