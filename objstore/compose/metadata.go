package compose

import (
	"errors"
	"slices"

	"deployfs/objstore/gvariant"
	"deployfs/objstore/mtree"
	"deployfs/objstore/object"
	"deployfs/objstore/transaction"
)

// The keys that a commit's metadata gets by itself.
const (
	keyRefBinding        = "ostree.ref-binding"
	keyCollectionBinding = "ostree.collection-binding"
	keySizes             = "ostree.sizes"
	keyBootable          = "ostree.bootable"
	keyLinux             = "ostree.linux"
)

func (e Pair) entry() gvariant.Value {
	return gvariant.NewEntry(gvariant.NewString(e.Key), gvariant.NewVariant(e.Value))
}

// describe is the commit's metadata, in ostree's order.
func (p *Plan) describe(tx *transaction.Transaction, root *mtree.Tree) (gvariant.Value, error) {
	pairs := slices.Clone(p.metadata)
	if !p.NoBindings {
		pairs = append(pairs, p.bindings()...)
	}
	if p.Bootable {
		release, err := kernel(root)
		if err != nil {
			return gvariant.Value{}, err
		}
		pairs = set(pairs, keyBootable, gvariant.NewBool(true))
		pairs = set(pairs, keyLinux, gvariant.NewString(release))
	}
	if sizes := tx.Sizes(); len(sizes) > 0 {
		pairs = append(pairs, Pair{keySizes, object.SizesValue(sizes)})
	}
	entries := make([]gvariant.Value, len(pairs))
	for i, pair := range pairs {
		if pair.Key == "" {
			return gvariant.Value{}, errors.New("Empty metadata key")
		}
		entries[i] = pair.entry()
	}
	return gvariant.NewArray("{sv}", entries...), nil
}

// bindings say under which refs, and of which collection, the commit may be found.
func (p *Plan) bindings() []Pair {
	names := slices.Clone(p.BindRefs)
	if p.Branch != "" {
		names = append(names, p.Branch)
	}
	slices.Sort(names)
	list := make([]gvariant.Value, len(names))
	for i, name := range names {
		list[i] = gvariant.NewString(name)
	}
	bindings := []Pair{{keyRefBinding, gvariant.NewArray("s", list...)}}
	given := slices.ContainsFunc(p.metadata, func(e Pair) bool { return e.Key == keyCollectionBinding })
	if id, ok := p.repo.Config().Get("core", "collection-id"); ok && id != "" && !given {
		bindings = append(bindings, Pair{keyCollectionBinding, gvariant.NewString(id)})
	}
	return bindings
}

// set replaces the entries of a key by one.
func set(pairs []Pair, key string, value gvariant.Value) []Pair {
	pairs = slices.DeleteFunc(pairs, func(e Pair) bool { return e.Key == key })
	return append(pairs, Pair{key, value})
}
