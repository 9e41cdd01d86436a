#!/bin/sh
# Fuzzes the native library: native/fuzz/run.sh [RUNS] [SEED] [FOLDER]
#
#   RUNS    inputs a target; default 20000
#   SEED    of the inputs; default 1; with the same one gcc's build does the same again
#   FOLDER  where the builds, the inputs that reach something new (clang) and what broke stay; default build/fuzz
#
# With clang (default, or CC=clang) libFuzzer looks for inputs that reach new code; with CC=gcc inputs are changed blindly.
# AddressSanitizer and UBSan watch; an input may take 10 seconds, and no allocation more than 32 MB.
set -eu
runs=${1:-20000} seed=${2:-1} folder=${3:-build/fuzz} cc=${CC:-clang}
native=$(cd "$(dirname "$0")/.." && pwd)
mkdir -p "$folder/objects" "$folder/seeds"
cd "$folder"

sanitizers=address,undefined,float-cast-overflow
flags="-std=c11 -O1 -g -ffp-contract=off -pthread -fno-sanitize-recover=all
    -I$native/include -I$native/src -I$native/tests -I$native/fuzz"
shared="$native/fuzz/target.c $native/fuzz/encode.c $native/tests/files.c"
library="-fsanitize=$sanitizers" main="$native/fuzz/standalone.c"
case $("$cc" --version) in
*clang*) library="-fsanitize=fuzzer-no-link,$sanitizers" main=-fsanitize=fuzzer ;;
esac

cores=$(getconf _NPROCESSORS_ONLN)
(cd objects && rm -f ./*.o && printf '%s\n' "$native"/src/*.c | xargs -n 1 -P "$cores" "$cc" $flags $library -c)
"$cc" $flags "$native/fuzz/seeds.c" "$native/tests/files.c" -o write_seeds
./write_seeds seeds
export ASAN_OPTIONS="max_allocation_size_mb=32:${ASAN_OPTIONS:-}"
for target in model tokenizer text; do
    max_len=8192
    [ $target = text ] && max_len=1024
    "$cc" $flags $library $main "$native/fuzz/fuzz_$target.c" $shared objects/*.o -lm -o "fuzz_$target"
    echo "fuzz_$target: $runs inputs from seed $seed"
    if [ $main = -fsanitize=fuzzer ]; then
        mkdir -p "corpus/$target"
        "./fuzz_$target" -runs="$runs" -seed="$seed" -max_len=$max_len -timeout=10 -rss_limit_mb=2048 -malloc_limit_mb=32 \
            -print_final_stats=1 -artifact_prefix="broke-$target-" "corpus/$target" "seeds/$target"
    else
        "./fuzz_$target" -runs="$runs" -seed="$seed" -max_len=$max_len seeds/$target/*
    fi
done
