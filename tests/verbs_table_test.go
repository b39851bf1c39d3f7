package tests

// The command lines of TestVerbs. Words in braces are filled in by verbsNames, "_" is a blank.
var (
	lsLines = []string{
		"ls", "ls nope", "ls {zero}", "ls os/main", "ls {commit}", "ls {prefix}", "ls os/main^", "ls os/bare", "ls {none}",
		"ls os/main /", "ls os/main sub", "ls os/main /sub", "ls os/main sub/deep/big", "ls os/main link dirlink",
		"ls os/main sub hello.txt sub", "ls os/main {nl}", "ls os/main a_b", "ls os/main grün", "ls os/main {none}",
		"ls -d os/main sub", "ls -R os/main", "ls -R os/main sub emptydir", "ls -dR os/main sub", "ls -C os/main", "ls -X os/main sub",
		"ls -RCX os/main", "ls -dCX os/main / sub link sub/x", "ls --nul-filenames-only os/main",
		"ls --nul-filenames-only -RCX os/main sub", "ls os/main nope", "ls os/main / nope sub", "ls os/main nope/foo",
		"ls os/main sub/nope", "ls os/main hello.txt/x", "ls os/main dirlink/x", "ls -- os/main -d", "ls os/main -- -- -d",
		"ls --dironly --recursive --checksum --xattrs os/main sub",
	}
	catLines = []string{
		"cat", "cat os/main", "cat nope nope", "cat {zero} x", "cat os/main hello.txt", "cat os/main /hello.txt sub/x empty",
		"cat os/main sub/deep/big", "cat os/main {nl}", "cat os/main a_b grün", "cat os/main hello.txt nope sub/x",
		"cat os/main sub", "cat os/main /", "cat os/main link", "cat os/main dirlink", "cat os/main dangling",
		"cat os/main etc/absolute", "cat os/main dirlink/x", "cat os/main {none}", "cat os/main -- -d",
	}
	showLines = []string{
		"show", "show nope", "show os/main", "show os/main^", "show os/bare", "show {commit}", "show {prefix}", "show {zero}",
		"show {dirtree}", "show {dirmeta}", "show {file}", "show {link}", "show os/main os/bare",
		"show --raw os/main", "show --raw os/bare", "show --raw {dirtree}", "show --raw {dirmeta}", "show --raw {file}",
		"show -B os/main", "show -B --raw os/main", "show -B {dirtree}", "show --no-byteswap {dirmeta}",
		"show --print-metadata-key=version os/main", "show --print-metadata-key=num os/main", "show -B --print-metadata-key=num os/main",
		"show --print-metadata-key=list os/main", "show --print-metadata-key=nested os/main", "show -B --print-metadata-key nested os/main",
		"show --print-metadata-key=nope os/main", "show --print-metadata-key=version nope", "show --print-metadata-key=version {zero}",
		"show --print-metadata-key=ostree.ref-binding os/main", "show --print-metadata-key=version --raw os/main",
		"show --print-detached-metadata-key=note os/main", "show --print-detached-metadata-key=nope os/main",
		"show --print-detached-metadata-key=note os/bare", "show --print-detached-metadata-key=note {zero}",
		"show --print-detached-metadata-key=note --print-metadata-key=num os/main",
		"show --print-sizes os/main", "show --print-sizes os/bare", "show --print-related os/main", "show --print-related {zero}",
		"show --print-variant-type=(uuua(ayay)) {metafile}", "show --print-variant-type=(a{sv}aya(say)sstayay) {commitfile}",
		"show --print-variant-type=ay {repo}/config", "show --print-variant-type=a{sv} /dev/null", "show --print-variant-type=s /nonexistent",
		"show --print-metadata-key", "show --print-metadata-key= os/main", "show --print-detached-metadata-key= os/main", "show --gpg-homedir=/nonexistent os/main", "show --gpg-verify-remote=nope os/main",
	}
	logLines = []string{
		"log", "log nope", "log {zero}", "log os/main", "log os/main^", "log {commit}", "log os/bare", "log --raw os/main",
	}
	refsLines = []string{
		"refs", "refs --list", "refs -A", "refs --alias", "refs -c", "refs --collections", "refs --force", "refs os", "refs --list os",
		"refs os/main", "refs --list os/main", "refs os/", "refs nope", "refs --list nope", "refs o", "refs -A nope", "refs -A stable",
		"refs -A os", "refs -A os/main", "refs -A z", "refs -A --list z", "refs z", "refs z/y", "refs z os", "refs origin", "refs origin:", "refs origin:.", "refs nope:", "refs a_b:", "refs :", "refs .",
		"refs origin:r", "refs --list origin:r", "refs origin:r/x", "refs --list origin:r/x", "refs -A origin:", "refs -A origin:r/x",
		"refs -c org.example.Os", "refs -c org.example.Mirror", "refs -c org.example.Remote", "refs -c org.example.None", "refs -c nope",
		"refs -c no_pe", "refs -A -c", "refs --list -c", "refs {none}", "refs ../x", "refs --delete", "refs --create=x", "refs --create",
		"refs --create=x a b",
	}
	revParseLines = []string{
		"rev-parse", "rev-parse os/main", "rev-parse os/main stable z/alias origin:r/x origin/r/x r/x {commit} {prefix}",
		"rev-parse os/main nope stable", "rev-parse os/main^ os/main^^", "rev-parse os/main^^^", "rev-parse {zero}", "rev-parse {zero}^",
		"rev-parse {none}", "rev-parse ^", "rev-parse nope^", "rev-parse os", "rev-parse nope:os/main", "rev-parse origin:nope",
		"rev-parse a:b:c", "rev-parse ../x", "rev-parse -S", "rev-parse --single", "rev-parse -S os/main", "rev-parse -", "rev-parse 0123",
	}
	configLines = []string{
		"config", "config get", "config get core.mode", "config get core.nope", "config get nope.nope", "config get nope", "config foo",
		"config get .mode", "config get core.", "config get core.a.b", "config get odd.text", "config get odd.number",
		"config get --group=core mode", "config get --group core mode", "config get --group=core", "config get --group=core nope",
		"config get --group=nope mode", "config get --group=remote_\"origin\" url", "config get core.mode extra", "config set",
		"config set core.x", "config unset", "config unset nope", "config set core.x y z", "config set --group=core x",
	}
	damageLines = []string{
		"ls os/main", "ls -R os/main", "ls os/main hello.txt", "ls os/main sub", "ls -d os/main sub/deep", "ls -R os/main sub",
		"ls os/main sub/deep/big", "ls --nul-filenames-only os/main", "cat os/main hello.txt", "cat os/main link", "log os/main",
		"log os/main^", "show os/main^", "show os/main^^", "rev-parse os/main^", "rev-parse os/main^^",
	}
	// optionLines run in the directory that holds the repository as "repo".
	optionLines = []string{
		"", "nope", "--nope", "nope --nope", "-x", "-v", "--repo=repo", "{none} --repo=repo", "--help", "-h", "-?", "--help-all", "nope --help",
		"ls", "ls --help", "commit --help", "cat --help", "show --help", "log -h", "refs -?", "rev-parse --help", "checksum --help", "config --help-all",
		"--repo=repo ls os/main", "ls --repo=repo os/main", "ls os/main --repo repo", "ls --repo=/nonexistent --repo=repo os/main",
		"-v --repo=repo ls os/main", "ls -v --repo=repo os/main", "--verbose --repo=repo ls os/main", "-dR --repo=repo ls os/main sub",
		"ls --repo=repo -dRq os/main", "ls --repo=repo --nope=3 os/main", "ls --repo=repo --dironly=x os/main", "ls --repo=repo -d=x os/main",
		"ls --repo=repo --dir os/main", "ls --repo=repo -repo os/main", "ls --repo=repo -1 os/main", "ls --repo=repo --help --nope",
		"ls --repo=repo --nope --help", "ls --repo=repo -dh", "ls --nope", "ls --repo", "ls -- --repo=repo os/main", "-- ls --repo=repo os/main",
		"ls os/main --repo=/nonexistent", "ls os/main --repo=nonexistent", "ls os/main --repo=./a/../b//", "ls os/main --repo=/etc",
		"ls os/main --repo=/etc/passwd", "config get core.mode --repo=repo", "checksum --repo=repo x",
	}
	checksumLines = []string{
		"checksum", "checksum {source}/hello.txt", "checksum {source}/sub/x", "checksum --ignore-xattrs {source}/sub/x", "checksum {source}/link",
		"checksum --ignore-xattrs {source}/link", "checksum {source}/sub", "checksum --ignore-xattrs {source}/sub", "checksum {source}/sub/deep/big",
		"checksum {source}/empty", "checksum nofile", "checksum --ignore-xattrs nofile", "checksum {source}/hello.txt {source}/link", "checksum /dev/null",
	}
)
