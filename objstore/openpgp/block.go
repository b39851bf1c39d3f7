package openpgp

import (
	"bytes"
	"io"
	"slices"

	"github.com/ProtonMail/go-crypto/openpgp/packet"
)

// The packets that keyrings are made of (RFC 9580, section 5).
const (
	tagSignature    = 2
	tagPublicKey    = 6
	tagUserID       = 13
	tagPublicSubkey = 14
	tagAttribute    = 17
)

// component is a key, a subkey or a user id with the signatures of it.
type component struct {
	head       *packet.OpaquePacket
	signatures []*packet.OpaquePacket
}

// block is a public key as it travels: the primary key, then its user ids and
// attributes, then its subkeys.
type block []component

// blocks splits packets into keys. What belongs to no public key, such as secret
// keys, is left out. It fails at bytes that are no packet, and returns what stands
// before them.
func blocks(data []byte) (list []block, err error) {
	reader := packet.NewOpaqueReader(bytes.NewReader(data))
	open := false // list's last is being read
	for {
		p, err := reader.Next()
		if err == io.EOF {
			return list, nil
		}
		if err != nil {
			return list, err
		}
		switch p.Tag {
		case tagPublicKey:
			list = append(list, block{{head: p}})
			open = true
		case tagUserID, tagAttribute, tagPublicSubkey:
			if open {
				last := len(list) - 1
				list[last] = append(list[last], component{head: p})
			}
		case tagSignature:
			if open {
				b := list[len(list)-1]
				b[len(b)-1].signatures = append(b[len(b)-1].signatures, p)
			}
		case tagTrust, tagMarker:
		default:
			open = false
		}
	}
}

// Packets that say nothing of keys.
const (
	tagMarker = 10
	tagTrust  = 12 // of gpg's own keyrings
)

// write writes a block's packets.
func (b block) write(w io.Writer) error {
	for _, c := range b {
		for _, p := range append([]*packet.OpaquePacket{c.head}, c.signatures...) {
			if err := p.Serialize(w); err != nil {
				return err
			}
		}
	}
	return nil
}

func equal(a, b *packet.OpaquePacket) bool {
	return a.Tag == b.Tag && bytes.Equal(a.Contents, b.Contents)
}

// blockSet is blocks of different keys, in the order in which they came.
type blockSet struct {
	list  []block
	index map[string]int // by the primary key packet's contents
}

// add puts a block to the others: into that of the same key, when it is there.
// known tells which.
func (s *blockSet) add(b block) (known bool) {
	id := string(b[0].head.Contents)
	i, known := s.index[id]
	if known {
		s.list[i] = s.list[i].merge(b)
		return true
	}
	if s.index == nil {
		s.index = map[string]int{}
	}
	s.index[id] = len(s.list)
	s.list = append(s.list, b)
	return false
}

// merge is the block with all that another one of the same key has beside it.
func (b block) merge(other block) block {
	b = slices.Clone(b)
	for _, c := range other {
		i := slices.IndexFunc(b, func(mine component) bool { return equal(mine.head, c.head) })
		if i < 0 {
			b = slices.Insert(b, b.place(c.head.Tag), c)
			continue
		}
		b[i].signatures = union(b[i].signatures, c.signatures)
	}
	return b
}

// union is a with what else is in b.
func union(a, b []*packet.OpaquePacket) []*packet.OpaquePacket {
	a = slices.Clip(a)
	seen := map[string]bool{}
	for _, p := range a {
		seen[string(p.Contents)] = true
	}
	for _, p := range b {
		if !seen[string(p.Contents)] {
			seen[string(p.Contents)] = true
			a = append(a, p)
		}
	}
	return a
}

// place is where a new component goes: user ids before subkeys.
func (b block) place(tag uint8) int {
	if tag != tagPublicSubkey {
		if i := slices.IndexFunc(b, func(c component) bool { return c.head.Tag == tagPublicSubkey }); i >= 0 {
			return i
		}
	}
	return len(b)
}
