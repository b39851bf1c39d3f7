package main

// painter is a peer that the plot has a curve for.
type painter struct{ name, colour, peer, variant string }

// everyone is who mounts and is walked over.
var everyone = []painter{
	{"deployfs, with an index", "a", subject, "default"},
	{"deployfs, without", "b", subject, "no index"},
	{"ostree checkout -H", "c", native, ""},
	{erofs, "d", erofs, ""},
	{fusefs, "e", fusefs, ""},
}

// builders is who prepares something for each commit.
var builders = []painter{{"deployfs, with an index", "a", subject, "deployfs index"}, {"ostree checkout -H", "c", native, ""}}

// panels are how mounting, building an index, and a cold walk grow with the tree.
func (b *bench) panels() []panel {
	return []panel{
		{"mount, and read a byte", b.curves("usable", everyone)},
		{"index built, or checked out", b.curves("index", builders)},
		{"walk, cold3", b.curves("walk cold3", everyone)},
	}
}

// curves are what painters answered to a question, for each tree.
func (b *bench) curves(id string, painters []painter) (list []curve) {
	for _, p := range painters {
		c := curve{name: p.name, colour: p.colour}
		for _, t := range b.trees {
			if r := find(b.rows, id, t.name); r != nil {
				if answer := r.cell(p.peer, p.variant); answer != nil {
					c.points = append(c.points, point{float64(t.counts.entries), answer.Values.median()})
				}
			}
		}
		if len(c.points) > 0 {
			list = append(list, c)
		}
	}
	return list
}
