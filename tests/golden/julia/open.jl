# Opens the files that write.py has written, and saves what is in them again, with
# JLSO 2.7.0, BSON 0.3.9 and Julia 1.5.3:
#
#     python write.py FOLDER
#     julia open.jl FOLDER AGAIN
#     python write.py FOLDER AGAIN
using Dates, JLSO

folder, again = ARGS
count = 0
for (root, _, files) in walkdir(folder), file in files
    endswith(file, ".jlso") || continue
    path = joinpath(root, file)
    for (name, value) in JLSO.load(path)
        text = first(replace(repr(value), "\n" => " "), 60)
        println(rpad(name, 14), rpad(string(typeof(value)), 40), text)
    end
    goal = joinpath(again, relpath(path, folder))
    mkpath(dirname(goal))
    JLSO.save(goal, JLSO.load(path))
    global count += 1
end
println(count, " files opened and saved again")
