package daemon

import (
	"fmt"
	"os"
	"path/filepath"

	gofuse "github.com/hanwen/go-fuse/v2/fuse"
	"golang.org/x/sys/unix"

	"deployfs/fs"
	fusesession "deployfs/fs/session"
	"deployfs/objstore"
	"deployfs/objstore/index"
)

// Data is how content reaches the kernel.
type Data uint8

// The ways.
const (
	DataAuto        Data = iota // what suits the tree and this machine
	DataCached                  // the kernel opens files without asking, and keeps what it read
	DataPassthrough             // the kernel reads the repository's files by itself
	DataPlain                   // every open is asked for
)

var dataNames = [...]string{"auto", "cached", "passthrough", "plain"}

// String is the way's name.
func (d Data) String() string { return dataNames[d] }

// ParseData reads the name of a way that can be asked for.
func ParseData(name string) (Data, error) {
	for i, known := range dataNames[:DataPlain] {
		if name == known {
			return Data(i), nil
		}
	}
	return 0, fmt.Errorf("%q is no data path: want auto, cached or passthrough", name)
}

// DataPath is a way that was chosen, and why.
type DataPath struct {
	Path   Data
	Reason string
}

// largeFiles is the mean size from which on files are read through, in bytes:
// an open of one costs a message, which takes about as long as reading it.
const largeFiles = 1 << 20

// wantedData chooses the data path for what is shown, as far as that can be said
// without the kernel.
func (v *view) wantedData(cfg *Config) DataPath {
	files, bytes := v.totals(cfg)
	switch {
	case cfg.Data == DataPassthrough:
		return DataPath{DataPassthrough, "as asked"}
	case cfg.Verify == fs.VerifyAlways:
		return DataPath{DataPlain, "every open is verified"}
	case cfg.Data == DataCached:
		return DataPath{DataCached, "as asked"}
	case files == 0:
		return DataPath{DataCached, "no index tells the sizes of files"}
	case bytes/files < largeFiles:
		return DataPath{DataCached, sizes(bytes / files)}
	case os.Geteuid() != 0:
		return DataPath{DataCached, "passthrough needs root"}
	}
	return DataPath{DataPassthrough, sizes(bytes / files)}
}

func sizes(mean uint64) string { return fmt.Sprintf("files of %d KiB on average", (mean+1023)/1024) }

// totals is how many files are shown, and their bytes, if there is an index.
func (v *view) totals(cfg *Config) (files, bytes uint64) {
	if cfg.NoIndex || cfg.History || cfg.Remote != "" || cfg.Data != DataAuto {
		return 0, 0
	}
	store := index.OpenStore(v.repo, cfg.CacheDir)
	defer store.Close()
	return store.Totals(v.root)
}

// stackDepth is how many filesystems may lie below what is passed through: one,
// as overlayfs allows no more on top, or two when it is on overlayfs itself.
func stackDepth(file *os.File) int {
	var st unix.Statfs_t
	if unix.Fstatfs(int(file.Fd()), &st) == nil && st.Type == unix.OVERLAYFS_SUPER_MAGIC {
		return 2
	}
	return 1
}

// sample is a file that lies where the files do that would be passed through.
func (v *view) sample(cfg *Config) (*os.File, error) {
	if v.repo.Mode() != objstore.Archive {
		return os.Open(filepath.Join(cfg.Repo, "config"))
	}
	if err := os.MkdirAll(cfg.CacheDir, 0o700); err != nil {
		return nil, err
	}
	file, err := os.CreateTemp(cfg.CacheDir, ".sample-")
	if err == nil {
		err = os.Remove(file.Name())
	}
	return file, err
}

// chooseData chooses the data path, as far as that can be said without the kernel.
func (s *server) chooseData() error {
	s.session.Data = s.view.wantedData(&s.cfg)
	if s.session.Data.Path != DataPassthrough {
		return nil
	}
	sample, err := s.view.sample(&s.cfg)
	if err != nil {
		return err
	}
	s.session.StackDepth = stackDepth(sample)
	return sample.Close()
}

// pass turns passthrough on, if it is wanted and the kernel does it for files like
// those that would be passed through.
func (s *server) pass(dev *os.File) error {
	if s.session.Data.Path != DataPassthrough {
		return nil
	}
	err := s.tryPass(dev)
	switch {
	case err == nil:
		s.view.fs.UsePassthrough(s.keeper)
		return nil
	case s.cfg.Data == DataPassthrough:
		return &Failure{
			Text:   fmt.Sprintf("passthrough of files in %s: %v", Line(s.cfg.Repo), err),
			Remedy: "it takes root, Linux 6.9 and a filesystem that is not stacked; --data=auto takes it where it can",
		}
	}
	s.session.Data = DataPath{DataCached, fmt.Sprintf("passthrough is not possible: %v", err)}
	return nil
}

// tryPass gives a file to the kernel and takes it back.
func (s *server) tryPass(dev *os.File) error {
	if !s.fuse.Offers(gofuse.CAP_PASSTHROUGH) {
		return unix.EOPNOTSUPP
	}
	sample, err := s.view.sample(&s.cfg)
	if err != nil {
		return err
	}
	defer sample.Close()
	conn := fusesession.Connection(dev.Fd())
	number, err := conn.Register(int(sample.Fd()))
	if err == nil {
		conn.Unregister(number)
	}
	return err
}
