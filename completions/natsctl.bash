# bash completion of natsctl
_natsctl() {
    local current=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD-1]} path=natsctl words= word
    if [[ $current == = ]]; then
        current=
    elif [[ $before == = ]]; then
        before=${COMP_WORDS[COMP_CWORD-2]}
    fi
    for word in "${COMP_WORDS[@]:1:COMP_CWORD-1}"; do
        case "$path $word" in
            'natsctl server'|'natsctl pub'|'natsctl sub'|'natsctl request'|'natsctl reply'|'natsctl rtt'|'natsctl bench'|'natsctl context'|'natsctl context ls'|'natsctl context show'|'natsctl context add'|'natsctl context select'|'natsctl context unselect'|'natsctl context rm'|'natsctl demo'|'natsctl version') path="$path $word" ;;
        esac
    done
    COMPREPLY=()
    case "$path $before" in
        'natsctl server -a'|'natsctl server --net'|'natsctl server --addr'|'natsctl server -net'|'natsctl server -addr') return ;;
        'natsctl server -p'|'natsctl server --port'|'natsctl server -port') return ;;
        'natsctl server -n'|'natsctl server --name'|'natsctl server --server_name'|'natsctl server -name'|'natsctl server -server_name') return ;;
        'natsctl server -P'|'natsctl server --pid'|'natsctl server -pid') COMPREPLY=($(compgen -f -- "$current")); compopt -o filenames 2>/dev/null; return ;;
        'natsctl server -m'|'natsctl server --http_port'|'natsctl server -http_port') return ;;
        'natsctl server -ms'|'natsctl server --https_port'|'natsctl server -https_port') return ;;
        'natsctl server -c'|'natsctl server --config'|'natsctl server -config') COMPREPLY=($(compgen -f -- "$current")); compopt -o filenames 2>/dev/null; return ;;
        'natsctl server -sl'|'natsctl server --signal'|'natsctl server -signal') return ;;
        'natsctl server --client_advertise'|'natsctl server -client_advertise') return ;;
        'natsctl server --ports_file_dir'|'natsctl server -ports_file_dir') COMPREPLY=($(compgen -d -- "$current")); compopt -o filenames 2>/dev/null; return ;;
        'natsctl server -l'|'natsctl server --log'|'natsctl server -log') COMPREPLY=($(compgen -f -- "$current")); compopt -o filenames 2>/dev/null; return ;;
        'natsctl server -r'|'natsctl server --remote_syslog'|'natsctl server -remote_syslog') return ;;
        'natsctl server --log_size_limit'|'natsctl server -log_size_limit') return ;;
        'natsctl server --max_traced_msg_len'|'natsctl server -max_traced_msg_len') return ;;
        'natsctl server --user'|'natsctl server -user') return ;;
        'natsctl server --pass'|'natsctl server -pass') return ;;
        'natsctl server --auth'|'natsctl server -auth') return ;;
        'natsctl server -sd'|'natsctl server --store_dir'|'natsctl server -store_dir') COMPREPLY=($(compgen -d -- "$current")); compopt -o filenames 2>/dev/null; return ;;
        'natsctl server --tlscert'|'natsctl server -tlscert') COMPREPLY=($(compgen -f -- "$current")); compopt -o filenames 2>/dev/null; return ;;
        'natsctl server --tlskey'|'natsctl server -tlskey') COMPREPLY=($(compgen -f -- "$current")); compopt -o filenames 2>/dev/null; return ;;
        'natsctl server --tlscacert'|'natsctl server -tlscacert') COMPREPLY=($(compgen -f -- "$current")); compopt -o filenames 2>/dev/null; return ;;
        'natsctl server --routes'|'natsctl server -routes') return ;;
        'natsctl server --cluster'|'natsctl server -cluster') return ;;
        'natsctl server --cluster_listen'|'natsctl server -cluster_listen') return ;;
        'natsctl server --cluster_name'|'natsctl server -cluster_name') return ;;
        'natsctl server --cluster_advertise'|'natsctl server -cluster_advertise') return ;;
        'natsctl server --connect_retries'|'natsctl server -connect_retries') return ;;
        'natsctl server --profile'|'natsctl server -profile') return ;;
        'natsctl pub -H'|'natsctl pub --header') return ;;
        'natsctl pub --reply') return ;;
        'natsctl pub --count') return ;;
        'natsctl pub --rate') return ;;
        'natsctl pub --sleep') return ;;
        'natsctl pub --send-on') COMPREPLY=($(compgen -W "newline eof" -- "$current")); return ;;
        'natsctl pub --ndjson') COMPREPLY=($(compgen -f -- "$current")); compopt -o filenames 2>/dev/null; return ;;
        'natsctl pub -s'|'natsctl pub --server') return ;;
        'natsctl pub --user') return ;;
        'natsctl pub --password') return ;;
        'natsctl pub --token') return ;;
        'natsctl pub --creds') COMPREPLY=($(compgen -f -- "$current")); compopt -o filenames 2>/dev/null; return ;;
        'natsctl pub --nkey') COMPREPLY=($(compgen -f -- "$current")); compopt -o filenames 2>/dev/null; return ;;
        'natsctl pub --tlscert') COMPREPLY=($(compgen -f -- "$current")); compopt -o filenames 2>/dev/null; return ;;
        'natsctl pub --tlskey') COMPREPLY=($(compgen -f -- "$current")); compopt -o filenames 2>/dev/null; return ;;
        'natsctl pub --tlsca') COMPREPLY=($(compgen -f -- "$current")); compopt -o filenames 2>/dev/null; return ;;
        'natsctl pub --timeout') return ;;
        'natsctl pub --connection-name') return ;;
        'natsctl pub --inbox-prefix') return ;;
        'natsctl pub --context') return ;;
        'natsctl sub --queue') return ;;
        'natsctl sub --count') return ;;
        'natsctl sub --wait') return ;;
        'natsctl sub -I'|'natsctl sub --ignore-subject') return ;;
        'natsctl sub --dump') COMPREPLY=($(compgen -d -- "$current")); compopt -o filenames 2>/dev/null; return ;;
        'natsctl sub --report-top') return ;;
        'natsctl sub -s'|'natsctl sub --server') return ;;
        'natsctl sub --user') return ;;
        'natsctl sub --password') return ;;
        'natsctl sub --token') return ;;
        'natsctl sub --creds') COMPREPLY=($(compgen -f -- "$current")); compopt -o filenames 2>/dev/null; return ;;
        'natsctl sub --nkey') COMPREPLY=($(compgen -f -- "$current")); compopt -o filenames 2>/dev/null; return ;;
        'natsctl sub --tlscert') COMPREPLY=($(compgen -f -- "$current")); compopt -o filenames 2>/dev/null; return ;;
        'natsctl sub --tlskey') COMPREPLY=($(compgen -f -- "$current")); compopt -o filenames 2>/dev/null; return ;;
        'natsctl sub --tlsca') COMPREPLY=($(compgen -f -- "$current")); compopt -o filenames 2>/dev/null; return ;;
        'natsctl sub --timeout') return ;;
        'natsctl sub --connection-name') return ;;
        'natsctl sub --inbox-prefix') return ;;
        'natsctl sub --context') return ;;
        'natsctl request -H'|'natsctl request --header') return ;;
        'natsctl request --count') return ;;
        'natsctl request --idle') return ;;
        'natsctl request --total') return ;;
        'natsctl request --expect') return ;;
        'natsctl request -s'|'natsctl request --server') return ;;
        'natsctl request --user') return ;;
        'natsctl request --password') return ;;
        'natsctl request --token') return ;;
        'natsctl request --creds') COMPREPLY=($(compgen -f -- "$current")); compopt -o filenames 2>/dev/null; return ;;
        'natsctl request --nkey') COMPREPLY=($(compgen -f -- "$current")); compopt -o filenames 2>/dev/null; return ;;
        'natsctl request --tlscert') COMPREPLY=($(compgen -f -- "$current")); compopt -o filenames 2>/dev/null; return ;;
        'natsctl request --tlskey') COMPREPLY=($(compgen -f -- "$current")); compopt -o filenames 2>/dev/null; return ;;
        'natsctl request --tlsca') COMPREPLY=($(compgen -f -- "$current")); compopt -o filenames 2>/dev/null; return ;;
        'natsctl request --timeout') return ;;
        'natsctl request --connection-name') return ;;
        'natsctl request --inbox-prefix') return ;;
        'natsctl request --context') return ;;
        'natsctl reply --command') return ;;
        'natsctl reply --command-timeout') return ;;
        'natsctl reply --concurrency') return ;;
        'natsctl reply -H'|'natsctl reply --header') return ;;
        'natsctl reply --queue') return ;;
        'natsctl reply --count') return ;;
        'natsctl reply --sleep') return ;;
        'natsctl reply -s'|'natsctl reply --server') return ;;
        'natsctl reply --user') return ;;
        'natsctl reply --password') return ;;
        'natsctl reply --token') return ;;
        'natsctl reply --creds') COMPREPLY=($(compgen -f -- "$current")); compopt -o filenames 2>/dev/null; return ;;
        'natsctl reply --nkey') COMPREPLY=($(compgen -f -- "$current")); compopt -o filenames 2>/dev/null; return ;;
        'natsctl reply --tlscert') COMPREPLY=($(compgen -f -- "$current")); compopt -o filenames 2>/dev/null; return ;;
        'natsctl reply --tlskey') COMPREPLY=($(compgen -f -- "$current")); compopt -o filenames 2>/dev/null; return ;;
        'natsctl reply --tlsca') COMPREPLY=($(compgen -f -- "$current")); compopt -o filenames 2>/dev/null; return ;;
        'natsctl reply --timeout') return ;;
        'natsctl reply --connection-name') return ;;
        'natsctl reply --inbox-prefix') return ;;
        'natsctl reply --context') return ;;
        'natsctl rtt -s'|'natsctl rtt --server') return ;;
        'natsctl rtt --user') return ;;
        'natsctl rtt --password') return ;;
        'natsctl rtt --token') return ;;
        'natsctl rtt --creds') COMPREPLY=($(compgen -f -- "$current")); compopt -o filenames 2>/dev/null; return ;;
        'natsctl rtt --nkey') COMPREPLY=($(compgen -f -- "$current")); compopt -o filenames 2>/dev/null; return ;;
        'natsctl rtt --tlscert') COMPREPLY=($(compgen -f -- "$current")); compopt -o filenames 2>/dev/null; return ;;
        'natsctl rtt --tlskey') COMPREPLY=($(compgen -f -- "$current")); compopt -o filenames 2>/dev/null; return ;;
        'natsctl rtt --tlsca') COMPREPLY=($(compgen -f -- "$current")); compopt -o filenames 2>/dev/null; return ;;
        'natsctl rtt --timeout') return ;;
        'natsctl rtt --connection-name') return ;;
        'natsctl rtt --inbox-prefix') return ;;
        'natsctl rtt --context') return ;;
        'natsctl bench -np'|'natsctl bench --pubs'|'natsctl bench -pubs') return ;;
        'natsctl bench -ns'|'natsctl bench --subs'|'natsctl bench -subs') return ;;
        'natsctl bench -n'|'natsctl bench --msgs'|'natsctl bench -msgs') return ;;
        'natsctl bench -ms'|'natsctl bench --size'|'natsctl bench -size') return ;;
        'natsctl bench --rate'|'natsctl bench -rate') return ;;
        'natsctl bench --duration'|'natsctl bench -duration') return ;;
        'natsctl bench --queue'|'natsctl bench -queue') return ;;
        'natsctl bench --inflight'|'natsctl bench -inflight') return ;;
        'natsctl bench --subjects'|'natsctl bench -subjects') return ;;
        'natsctl bench -H'|'natsctl bench --header'|'natsctl bench -header') return ;;
        'natsctl bench --payload'|'natsctl bench -payload') COMPREPLY=($(compgen -f -- "$current")); compopt -o filenames 2>/dev/null; return ;;
        'natsctl bench --processes'|'natsctl bench -processes') return ;;
        'natsctl bench --max-outage'|'natsctl bench -max-outage') return ;;
        'natsctl bench --csv'|'natsctl bench -csv') COMPREPLY=($(compgen -f -- "$current")); compopt -o filenames 2>/dev/null; return ;;
        'natsctl bench --compare'|'natsctl bench -compare') COMPREPLY=($(compgen -f -- "$current")); compopt -o filenames 2>/dev/null; return ;;
        'natsctl bench -s'|'natsctl bench --server'|'natsctl bench -server') return ;;
        'natsctl bench --user'|'natsctl bench -user') return ;;
        'natsctl bench --password'|'natsctl bench -password') return ;;
        'natsctl bench --token'|'natsctl bench -token') return ;;
        'natsctl bench --creds'|'natsctl bench -creds') COMPREPLY=($(compgen -f -- "$current")); compopt -o filenames 2>/dev/null; return ;;
        'natsctl bench --nkey'|'natsctl bench -nkey') COMPREPLY=($(compgen -f -- "$current")); compopt -o filenames 2>/dev/null; return ;;
        'natsctl bench --tlscert'|'natsctl bench -tlscert') COMPREPLY=($(compgen -f -- "$current")); compopt -o filenames 2>/dev/null; return ;;
        'natsctl bench --tlskey'|'natsctl bench -tlskey') COMPREPLY=($(compgen -f -- "$current")); compopt -o filenames 2>/dev/null; return ;;
        'natsctl bench --tlsca'|'natsctl bench -tlsca') COMPREPLY=($(compgen -f -- "$current")); compopt -o filenames 2>/dev/null; return ;;
        'natsctl bench --timeout'|'natsctl bench -timeout') return ;;
        'natsctl bench --connection-name'|'natsctl bench -connection-name') return ;;
        'natsctl bench --inbox-prefix'|'natsctl bench -inbox-prefix') return ;;
        'natsctl bench --context'|'natsctl bench -context') return ;;
        'natsctl context add --description') return ;;
        'natsctl context add -s'|'natsctl context add --server') return ;;
        'natsctl context add --user') return ;;
        'natsctl context add --password') return ;;
        'natsctl context add --token') return ;;
        'natsctl context add --creds') COMPREPLY=($(compgen -f -- "$current")); compopt -o filenames 2>/dev/null; return ;;
        'natsctl context add --nkey') COMPREPLY=($(compgen -f -- "$current")); compopt -o filenames 2>/dev/null; return ;;
        'natsctl context add --tlscert') COMPREPLY=($(compgen -f -- "$current")); compopt -o filenames 2>/dev/null; return ;;
        'natsctl context add --tlskey') COMPREPLY=($(compgen -f -- "$current")); compopt -o filenames 2>/dev/null; return ;;
        'natsctl context add --tlsca') COMPREPLY=($(compgen -f -- "$current")); compopt -o filenames 2>/dev/null; return ;;
        'natsctl context add --timeout') return ;;
        'natsctl context add --connection-name') return ;;
        'natsctl context add --inbox-prefix') return ;;
    esac
    case $path in
        'natsctl')
            case $current in
                -*) words="-v --version -h --help" ;;
                *) words="server pub sub request reply rtt bench context demo version" ;;
            esac
            ;;
        'natsctl server')
            case $current in
                -*) words="-a --net --addr -net -addr -p --port -port -n --name --server_name -name -server_name -P --pid -pid -m --http_port -http_port -ms --https_port -https_port -c --config -config -t -sl --signal -signal --client_advertise -client_advertise --ports_file_dir -ports_file_dir -l --log -log -T --logtime -logtime --logtime_utc -logtime_utc -s --syslog -syslog -r --remote_syslog -remote_syslog -D --debug -debug -V --trace -trace -VV -DV -DVV --log_size_limit -log_size_limit --max_traced_msg_len -max_traced_msg_len --user -user --pass -pass --auth -auth -js --jetstream -jetstream -sd --store_dir -store_dir --tls -tls --tlscert -tlscert --tlskey -tlskey --tlsverify -tlsverify --tlscacert -tlscacert --help_tls -help_tls --routes -routes --cluster -cluster --cluster_listen -cluster_listen --cluster_name -cluster_name --cluster_advertise -cluster_advertise --no_advertise -no_advertise --connect_retries -connect_retries --profile -profile -v --version -version -h --help -help" ;;
                *) words="" ;;
            esac
            ;;
        'natsctl pub')
            case $current in
                -*) words="-H --header --reply --count --rate --sleep --templates --send-on --ndjson -q --quiet --json -h --help -s --server --user --password --token --creds --nkey --tlscert --tlskey --tlsca --tlsfirst --timeout --connection-name --inbox-prefix --context --no-context" ;;
                *) words="" ;;
            esac
            ;;
        'natsctl sub')
            case $current in
                -*) words="--queue --count --wait -I --ignore-subject -r --raw --headers-only -t --timestamps -d --delta --json --dump --report-subjects --report-top -h --help -s --server --user --password --token --creds --nkey --tlscert --tlskey --tlsca --tlsfirst --timeout --connection-name --inbox-prefix --context --no-context" ;;
                *) words="" ;;
            esac
            ;;
        'natsctl request')
            case $current in
                -*) words="-H --header --count --gather --idle --total --expect --until-empty -r --raw --json -h --help -s --server --user --password --token --creds --nkey --tlscert --tlskey --tlsca --tlsfirst --timeout --connection-name --inbox-prefix --context --no-context" ;;
                *) words="" ;;
            esac
            ;;
        'natsctl reply')
            case $current in
                -*) words="--echo --command --command-timeout --concurrency -H --header --queue --count --sleep -q --quiet -h --help -s --server --user --password --token --creds --nkey --tlscert --tlskey --tlsca --tlsfirst --timeout --connection-name --inbox-prefix --context --no-context" ;;
                *) words="" ;;
            esac
            ;;
        'natsctl rtt')
            case $current in
                -*) words="--json -h --help -s --server --user --password --token --creds --nkey --tlscert --tlskey --tlsca --tlsfirst --timeout --connection-name --inbox-prefix --context --no-context" ;;
                *) words="" ;;
            esac
            ;;
        'natsctl bench')
            case $current in
                -*) words="-np --pubs -pubs -ns --subs -subs -n --msgs -msgs -ms --size -size --rate -rate --duration -duration --queue -queue --request -request --inflight -inflight --subjects -subjects -H --header -header --payload -payload --random -random --stamp -stamp --processes -processes --max-outage -max-outage --csv -csv --json -json --compare -compare --plot -plot -h --help -help -s --server -server --user -user --password -password --token -token --creds -creds --nkey -nkey --tlscert -tlscert --tlskey -tlskey --tlsca -tlsca --tlsfirst -tlsfirst --timeout -timeout --connection-name -connection-name --inbox-prefix -inbox-prefix --context -context --no-context -no-context" ;;
                *) words="" ;;
            esac
            ;;
        'natsctl context')
            case $current in
                -*) words="-h --help" ;;
                *) words="ls show add select unselect rm" ;;
            esac
            ;;
        'natsctl context ls')
            case $current in
                -*) words="--json -h --help" ;;
                *) words="" ;;
            esac
            ;;
        'natsctl context show')
            case $current in
                -*) words="--json -h --help" ;;
                *) words="" ;;
            esac
            ;;
        'natsctl context add')
            case $current in
                -*) words="--description --select -f --force -h --help -s --server --user --password --token --creds --nkey --tlscert --tlskey --tlsca --tlsfirst --timeout --connection-name --inbox-prefix" ;;
                *) words="" ;;
            esac
            ;;
        'natsctl context select')
            case $current in
                -*) words="-h --help" ;;
                *) words="" ;;
            esac
            ;;
        'natsctl context unselect')
            case $current in
                -*) words="-h --help" ;;
                *) words="" ;;
            esac
            ;;
        'natsctl context rm')
            case $current in
                -*) words="-f --force -h --help" ;;
                *) words="" ;;
            esac
            ;;
        'natsctl demo')
            case $current in
                -*) words="--json -h --help" ;;
                *) words="" ;;
            esac
            ;;
        'natsctl version')
            case $current in
                -*) words="--json -h --help" ;;
                *) words="" ;;
            esac
            ;;
    esac
    COMPREPLY=($(compgen -W "$words" -- "$current"))
    if [[ -z $words ]]; then
        COMPREPLY=($(compgen -f -- "$current"))
        compopt -o filenames 2>/dev/null
    fi
}
complete -F _natsctl natsctl
