package keeper

import (
	"encoding/json"
	"testing"

	"golang.org/x/sys/unix"
)

// FuzzReceive: whatever comes, it is a message that can be told on, or an error.
func FuzzReceive(f *testing.F) {
	for _, m := range []message{
		{Kind: kindStart, Version: 1, Config: []byte(`{"Repo":"/r"}`), Names: []string{"fuse", "state"}, Waits: true, OOM: "0"},
		{Kind: kindSession, Session: []byte(`"saved"`), Place: &Place{[]byte("/mnt"), "0:41"}},
		{Kind: kindAsk, Counts: &Counts{1, 2, 3}},
		{Kind: kindRegistered, Number: 1 << 30, Errno: 5},
	} {
		data, err := json.Marshal(m)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(data)
	}
	f.Add([]byte(`{"kind":1e400}`))
	f.Add([]byte(`{"names":null,"counts":{"keeper":-1}}`))
	a, file, err := newChannel()
	if err != nil {
		f.Fatal(err)
	}
	defer a.close()
	defer file.Close()
	b := newEnd(int(file.Fd()))
	f.Fuzz(func(t *testing.T, data []byte) {
		if len(data) == 0 || len(data) > 2*maxMessage {
			return // the end of a connection, or too much for a socket
		}
		if err := unix.Send(a.fd, data, 0); err != nil {
			t.Skip(err)
		}
		m, err := b.receive()
		if err != nil {
			return
		}
		if _, err := m.named(); err == nil && len(m.Names) > 0 {
			t.Errorf("%q has files, but none came", data)
		}
		if _, err := json.Marshal(m); err != nil {
			t.Errorf("%q can't be told on: %v", data, err)
		}
	})
}

// FuzzLoad: whatever is in the file that a keeper has left, it is a state or an
// error.
func FuzzLoad(f *testing.F) {
	k, err := newKept()
	if err != nil {
		f.Fatal(err)
	}
	k.Config, k.Session = []byte(`{"Repo":"/r"}`), []byte(`"saved"`)
	if err := k.save(); err != nil {
		f.Fatal(err)
	}
	whole := make([]byte, 8+2*stateHalf)
	n, _ := k.state.ReadAt(whole, 0)
	f.Add(whole[:n])
	f.Add([]byte("short"))
	f.Fuzz(func(t *testing.T, data []byte) {
		k, err := newKept()
		if err != nil {
			t.Fatal(err)
		}
		defer k.state.Close()
		if _, err := k.state.WriteAt(data, 0); err != nil {
			t.Fatal(err)
		}
		if k.load() == nil {
			if err := k.save(); err != nil {
				t.Errorf("what was loaded can't be saved: %v", err)
			}
		}
	})
}
