# Writes the files beside it, with JLSO 2.7.0, BSON 0.3.9 and Julia 1.5.3:
#
#     julia make.jl FOLDER
#
# Names and values are those of `VALUES` in tests/files/test_julia.py.
using Dates, JLSO, UUIDs

struct Point
    x::Any
    y::String
end

shared = "a text that is longer than seven bytes"
values = Dict{Symbol,Any}(
    :int => 5, :negative => -7, :large => 2^40, :int8 => Int8(-3), :uint64 => UInt64(2)^63,
    :int128 => Int128(2)^100, :int32 => Int32(-70000), :small32 => Int32(7),
    :float => 1.5, :float32 => 1.5f0, :float16 => Float16(0.5), :yes => true,
    :nothing => nothing, :missing => missing, :text => "é☕", :symbol => :averylongsymbol,
    :char => 'é', :vector => [1.0, 2.0], :matrix => [1 2 3; 4 5 6], :empty => zeros(0, 3),
    :bytes => UInt8[1, 255], :bools => [true, true, false], :bits => [1, 2, 3] .> 1,
    :bitmatrix => [1 2; 3 4] .> 1, :any => Any[1, "a"], :texts => ["a", "b"],
    :textmatrix => ["a" "b"; "c" "d"], :float32s => Float32[1, 2],
    :complexes => [1.0 + 2.0im], :rationals => [1//2, 3//4], :tuple => (1, "a"),
    :pair => (1, 2.0), :named => (a = 1, b = "x"), :table => Dict("a" => 1, "b" => [1, 2]),
    :symbols => Dict(:a => 1), :nested => Dict("a" => Dict("b" => Dict("c" => 1))),
    :arraykey => Dict([1] => 2), :set => Set([1, 2]), :complex => 1.0 + 2.0im,
    :rational => 3//4, :date => Date(2020, 1, 2), :instant => DateTime(2020, 1, 2, 3, 4, 5, 6),
    :time => Time(1, 2, 3, 4, 5), :nanoseconds => Time(1, 2, 3, 4, 5, 6),
    :early => Date(-5, 1, 1), :dates => [Date(2020, 1, 2), Date(1969, 12, 31)],
    :instants => [DateTime(2020, 1, 2)], :days => Day(3), :months => Month(2),
    :spans => [Hour(1), Hour(2)], :uuid => UUID(1), :range => 1:3, :steps => 7:-2:1,
    :some => [missing, 1], :vectors => [[1, 2], [3]], :tuples => [(1, 2.5)],
    :shared => [shared, shared], :type => Int, :version => v"1.2.3", :part => SubString("hello", 2, 3),
)
only_in_bson = Dict{Symbol,Any}(:point => Point(1.0, "x"), :points => [Point(1, "a")])
only_in_serialize = Dict{Symbol,Any}(:big => -big(2)^70)

for (version, format, compression) in (
    (v"3", :bson, :gzip_smallest),
    (v"3", :julia_serialize, :none),
    (v"4", :bson, :none),
    (v"4", :bson, :gzip),
    (v"4", :julia_serialize, :none),
    (v"4", :julia_serialize, :gzip_fastest),
)
    more = format == :bson ? only_in_bson : only_in_serialize
    path = joinpath(ARGS[1], "v$(version.major)_$(format)_$(compression).jlso")
    JLSO.save(path, merge(values, more); version=version, format=format, compression=compression)
end
