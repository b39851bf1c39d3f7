package transaction

import (
	"fmt"
	"math/bits"
	"os"
	"strconv"
	"strings"
	"sync/atomic"

	"golang.org/x/sys/unix"

	"deployfs/objstore"
)

const defaultMinFree = "3" // percent, ostree's

// space is what content may still take on the disk.
type space struct {
	left  atomic.Int64 // bytes
	block int64        // bytes
	limit string       // what sets it, for messages
}

// measure finds how much is free, but for what the configuration keeps.
func (s *space) measure(repo *objstore.Repo) error {
	st, err := repo.Statfs()
	if err != nil {
		return err
	}
	kept, err := s.kept(repo.Config(), &st)
	if err != nil {
		return err
	}
	free := st.Bavail
	if os.Geteuid() == 0 {
		free = st.Bfree
	}
	s.block = max(int64(st.Bsize), 1)
	s.left.Store(max(int64(min(free*uint64(s.block), 1<<62))-kept, 0))
	return nil
}

// kept is how many bytes are to stay free.
func (s *space) kept(config *objstore.KeyFile, st *unix.Statfs_t) (int64, error) {
	if text, ok := config.Get("core", "min-free-space-size"); ok {
		size, err := parseFreeSize(text)
		s.limit = fmt.Sprintf("min-free-space-size %dMB", size>>20)
		return size, err
	}
	text, ok := config.Get("core", "min-free-space-percent")
	if !ok {
		text = defaultMinFree
	}
	percent, err := strconv.ParseUint(text, 10, 32)
	if err != nil || percent > 99 {
		return 0, fmt.Errorf("opening repo: Invalid min-free-space-percent '%s'", text)
	}
	s.limit = "min-free-space-percent '" + text + "%'"
	return int64(min(st.Blocks*uint64(st.Bsize)/100*percent, 1<<62)), nil
}

// parseFreeSize reads a number of MB, GB or TB, each a power of two.
func parseFreeSize(text string) (int64, error) {
	for i, unit := range []string{"MB", "GB", "TB"} {
		digits, ok := strings.CutSuffix(text, unit)
		if !ok {
			continue
		}
		n, err := strconv.ParseUint(digits, 10, 62)
		if high, low := bits.Mul64(n, 1<<(20+10*i)); err == nil && high == 0 && low < 1<<62 {
			return int64(low), nil
		}
		break
	}
	return 0, fmt.Errorf("opening repo: Invalid min-free-space-size '%s': It should be of the format '123MB', '123GB' or '123TB'", text)
}

// take says that size bytes are going to be written.
func (s *space) take(size uint64) error {
	charged := s.charge(size)
	if s.left.Add(-charged) >= 0 {
		return nil
	}
	s.left.Add(charged)
	return fmt.Errorf("%s would be exceeded, at least %s requested", s.limit, objstore.FormatSize(uint64(charged)))
}

// charge is what content of size bytes is taken to need, in bytes: as in ostree, its full
// blocks and one more.
func (s *space) charge(size uint64) int64 {
	return (int64(min(size, 1<<61))/s.block + 1) * s.block
}

// give takes back what take said.
func (s *space) give(size uint64) {
	s.left.Add(s.charge(size))
}
